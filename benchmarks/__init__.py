"""What the promises about speed and size rest on: one command, one table.

    python -m benchmarks                 every row, at 1,000 and 10,000 files
    python -m benchmarks --quick         smaller and fewer; for seeing that it works
    python -m benchmarks --large         staging at 100,000 files too
    python -m benchmarks --project DIR   the verified rows on a project of yours, with its own environment
    python -m benchmarks --row staging   only the rows whose name begins so
    python -m benchmarks --json          the same, for programs

Every row sets what this program does beside the named alternative, in the same process of measuring and in turns,
so that a busy machine is as busy for one as for the other. What counts is the ratio of the medians; the table's foot
says how far two measurements of the same thing differed. An alternative that is not installed leaves its row "not
measured", which is never a pass.
"""
