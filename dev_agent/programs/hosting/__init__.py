"""Programs of others: a program file and a module of actions, driven by the same engine, without git.

`module` loads the actions, `isolation` and `child` give an action that has a time limit a process of its own,
`host` starts runs and takes them up again, `report` says how one stands.
"""
