"""Landing: a verified commit becomes the branch, the index and the work tree, as one transaction.

The order of the steps is the safety argument; `land.py` states it. Killed at any line, `recovery.py` brings the
repository exactly back (before the branch moved) or exactly forward (after it).
"""
