"""Confinement: a job described as data, and the tiers that run it.

`job` says what to run and what it may see, `sandbox` is the interface, `choose` finds the variant this
machine offers. Nothing here knows what a gate, a repository or a policy is.
"""
