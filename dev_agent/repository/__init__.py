"""The user's git repository: reading it, staging apart from it, landing in it as one transaction, recovering.

Laws kept in this package:
- nothing here runs `git stash`, `reset --hard`, `clean`, `merge` or `checkout` on the user's work tree, nor
  any git child that may take the lock of the user's index (private copies, `GIT_OPTIONAL_LOCKS=0`);
- every git child goes through `git.Git`; everything we keep lies in `<common dir>/dev-agent/` or under
  `refs/dev-agent/`;
- a branch moves by one compare-and-swap, and that is the only commit point of a landing.
"""
