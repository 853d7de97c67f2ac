"""The console: pages in a browser over the runs of one repository. Everything shown is computed from traces.

It reads. What acts (the laboratory, an approval where that is allowed, trying a patch on the policy) is a command of
ours in a process of its own. Pages know Streamlit; what they show is made by modules that do not.
"""
