"""Several answers to one task: which of them are the same, which is the best, how many to ask for.

`normal`, `surface`, `ranking` and `schedule` are pure; the action `tryout` reads, judges and records.
"""
