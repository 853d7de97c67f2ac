"""Recipes: deterministic tasks that need no model. A task's words become a job, a job rewrites a tree in memory.

Pure: trees in, bytes out. What a recipe makes is a proposal like any other; policy and gates decide about it.
"""
