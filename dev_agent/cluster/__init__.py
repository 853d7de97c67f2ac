"""Judging beyond one machine: what a question is made of on its way, and the machine that answers it.

    job            one gate on one tree, complete: everything that decides the verdict, by value or by digest
    lock           the digest of an environment: what is installed, however and wherever it was installed
    store          content-addressed files on a worker
    mirror         the objects of one repository on a worker
    environments   an environment with the same lock, found or built, and proved
    workshop       the whole worker without any engine: a job in, an answer out

Rules: a worker takes nothing from a client but the job and the bytes the job names; whatever is wrong with a worker is
a trouble, never a verdict; nothing of a judged tree runs outside the worker's sandbox; no two machines' clocks are
compared. The engine that carries jobs is known to `dask_*` only.
"""
