"""The actions of the shipped programs: one file each, one line in `registry.ACTIONS`.

An action does one step, records what it found as facts, and returns an outcome of its declared set. It moves
nothing from state to state; the engine does, by the program's table.
"""
