"""Projects that many tests judge changes of. One of each per process: the base's results are remembered."""

from __future__ import annotations

import pytest

from dev_agent.sandbox.sandbox import Sandbox
from tests.gates.samples import PYTEST, SRC_LAYOUT, Sample, make_sample, make_sandbox, write_editable


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return make_sandbox(tmp_path_factory.mktemp("sandbox"))


@pytest.fixture(scope="session")
def acme(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Sample:
    """A src layout, installed editable into its own environment, green."""
    sample = make_sample(tmp_path_factory.mktemp("acme"), SRC_LAYOUT, sandbox, venv=PYTEST)
    write_editable(sample)
    return sample
