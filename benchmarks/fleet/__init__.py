"""A merge queue and its workers through a day, as discrete events: the queue's own core with simulated answers.

What decides is `dev_agent.programs.queueing.step`, the very function that decides in `dev-agent queue`; nothing of it
is written again here. Simulated is what surrounds it: heads that come in over a day (`day`), what their merges hold
(`commits`), the process that drives the queue (`line`), the scheduler and the workers (`cluster`), and what each step
costs (`costs`, every number with where it is from). `outcome` says what came of it.

Everything is drawn from one seed. Two policies given the same seed meet the same day, the same bad heads, and the
same luck for the same merge.
"""
