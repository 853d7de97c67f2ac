"""Files for a user's continuous integration and hooks: what is offered, what a repository has of it, writing the rest.

Rules kept here:
- nothing is written that was not shown first, as it is on the disk at that moment;
- a file with other content is replaced by the user's word only, and one that is also theirs (a pipeline's entry file, a
  hook of somebody else's) never;
- no name is followed through a symlink, so nothing lands outside of the repository;
- a file is there whole or not at all.
"""
