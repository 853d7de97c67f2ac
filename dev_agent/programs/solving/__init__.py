"""A model at work inside the program `solve`: what it is asked, what it may answer, what is made of its answers.

Nothing in here decides where a run goes: that is `solve.toml`, by the outcomes of `programs.actions`.
"""
