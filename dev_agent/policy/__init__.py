"""Policy: facts about a change set, rules over the facts, and a decision with its reasons.

The three are kept apart. `facts` says what a change set does, without an opinion; `policy` is a team's
opinion as data; `decision` applies one to the other. Everything here is pure (values in, values out) and
total: whatever bytes a change set holds, the answer is facts, never an exception. Reading files, git and
consent belong to others.

Nothing here trusts a change set: a patch never chooses the policy that judges it, so the text given to
`load_policy` comes from the base commit or from outside the repository; the caller sees to that.
"""
