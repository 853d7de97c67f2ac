"""A governed execution runtime: programs as data, typed outcomes, one durable trace. Usable alone.

Laws kept here:

1. Only `engine` moves a run from state to state: by table look-up, after the event is in the journal.
2. An action returns an outcome of its declared set; anything else is the outcome `error`, which every
   program must handle.
3. A program runs only after it was proved: targets, reachability, an end for every state, a bound for every
   cycle, outcomes handled exactly, conditions typed, invariants true on every path.
4. State = fold(trace). A run resumes from its trace alone, and only under the program it was started with.
5. The trace is canonical JSON, one event a line, hash-chained; payloads are salted commitments, so erasing
   one leaves the chain whole.
6. What is recorded is canonical and deeply frozen. A fact has one writer: its state.
7. A receipt is a function of the trace.

The runtime knows nothing of git, Python projects or models. It reads no clock and no environment (both are
passed in), prints nothing, and touches files in `files`, `blobs` and `trace` only. Importing it does nothing.
"""
