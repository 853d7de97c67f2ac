from __future__ import annotations

from pathlib import Path

import pytest

from dev_agent.errors import UsageFault
from dev_agent.sandbox.job import Limits
from dev_agent.sandbox.profile import Profile, ProfileFault, load_profile, shipped


def test_the_shipped_default_says_what_the_code_has_as_default() -> None:
    assert load_profile(shipped("default")) == Profile()


def test_the_shipped_profiles_give_no_network_and_allow_nothing() -> None:
    for name in ("default", "ci"):
        profile = load_profile(shipped(name), source=name)
        assert (profile.name, profile.network, profile.allow_syscalls) == (name, False, frozenset())


def test_an_unknown_shipped_profile_names_those_there_are() -> None:
    with pytest.raises(UsageFault) as caught:
        shipped("../default")
    assert caught.value.hint == "there are: ci, default"


def test_every_key_can_be_set() -> None:
    text = """
        name = "mine"
        network = true
        read_only = ["/opt/tools"]
        tmp_bytes = 1
        home_bytes = 2
        shm_bytes = 3
        allow_syscalls = ["shmget"]
        [limits]
        wall_s = 4
        processes = 5
    """
    assert load_profile(text) == Profile(
        name="mine",
        network=True,
        read_only=(Path("/opt/tools"),),
        tmp_bytes=1,
        home_bytes=2,
        shm_bytes=3,
        allow_syscalls=frozenset({"shmget"}),
        limits=Limits(wall_s=4, processes=5),
    )


def test_every_fault_is_reported_at_once_with_its_place() -> None:
    text = """
        netwrok = false
        network = 1
        name = ""
        read_only = ["/proc", "relative", "/a/../b"]
        tmp_bytes = -1
        home_bytes = true
        shm_bytes = 1.5
        allow_syscalls = ["ptrace"]
        [limits]
        memory = 1
        processes = "many"
    """
    with pytest.raises(ProfileFault) as caught:
        load_profile(text, source="mine.toml")
    assert caught.value.message.startswith("mine.toml: ")
    assert list(caught.value.faults) == [
        "netwrok: unknown key, did you mean 'network'?",
        "name: must be a text, not ''",
        "network: must be true or false, not 1",
        "read_only[0]: not a host path a job may see: '/proc'",
        "read_only[1]: not a host path a job may see: 'relative'",
        "read_only[2]: not a host path a job may see: '/a/../b'",
        "tmp_bytes: must be a whole number above 0, not -1",
        "home_bytes: must be a whole number above 0, not True",
        "shm_bytes: must be a whole number above 0, not 1.5",
        "allow_syscalls[0]: 'ptrace' cannot be allowed; only memfd_create, shmget can",
        "limits.memory: unknown key, did you mean 'memory_bytes'?",
        "limits.processes: must be a whole number above 0, not 'many'",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("= 1", "not TOML"),
        ("zzz = 1", "zzz: unknown key; known are allow_syscalls, home_bytes"),
        ("limits = 3", "limits: must be a table, not 3"),
        ("read_only = [1]", "read_only: must be a list of texts"),
    ],
)
def test_text_that_is_no_profile(text: str, fault: str) -> None:
    with pytest.raises(ProfileFault) as caught:
        load_profile(text)
    assert fault in caught.value.message
