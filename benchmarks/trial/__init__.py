"""Parts of `benchmarks.cluster_trial`: networks, processes, real projects, pieces of work, and looking at what is left.

Everything lives in one folder, and everything started has that folder in its environment, which is how what is left
over is found. Imports nothing of dev-agent: the trial uses it as its users do.
"""
