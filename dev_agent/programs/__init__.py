"""Binds everything: the programs as data, the actions of their states, and the functions the surfaces call.

`apply.py` starts and resumes runs, `runs.py` reads them back, `verify.py` proves them, `recovery.py` cleans up
after a crash. Command line, bots and servers call these and add nothing of their own.
"""
