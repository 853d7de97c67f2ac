"""What `--cluster` may say, and what is said about everything else."""

from __future__ import annotations

import pytest

from dev_agent.cluster.address import ClusterAddress, parse_address
from dev_agent.errors import UsageFault


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("tcp://host:8786", "tcp://host:8786"),
        ("tls://host.example.org:1", "tls://host.example.org:1"),
        ("tls://host", "tls://host:8786"),
        ("tcp://127.0.0.1:8786/", "tcp://127.0.0.1:8786"),
        ("tcp://[::1]:8786", "tcp://[::1]:8786"),
    ],
)
def test_a_scheduler_by_its_address(text: str, url: str) -> None:
    assert parse_address(text) == ClusterAddress(url=url)


@pytest.mark.parametrize("count", [1, 2, 64])
def test_workers_here_by_their_number(count: int) -> None:
    address = parse_address(f"local:{count}")
    assert (address.workers, address.is_local, str(address)) == (count, True, f"local:{count}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no kind"),
        ("host:8786", "no kind"),
        ("http://host:8786", "no kind"),
        ("inproc://1/2", "no kind"),
        ("ws://host:8786", "no kind"),
        ("tcp://", "no host"),
        ("tcp://:8786", "no host"),
        ("tcp://host:port", "no host and port"),
        ("tcp://host:99999", "no host and port"),
        ("tcp://host:0", "more than"),
        ("tcp://host:1/path", "more than"),
        ("tcp://host:1?x=1", "more than"),
        ("tcp://-oProxyCommand=x:1", "no host"),
        ("tcp://host\n:1", "no address"),
        ("tcp://hö:1", "no address"),
        ("local", "no number"),
        ("local:0", "no number"),
        ("local:65", "no number"),
        ("local:2.5", "no number"),
        ("local:-1", "no number"),
        ("shared:", "no folder"),
        ("shared:here/below", "no folder"),
        ("shared:/a\0b", "no folder"),
    ],
)
def test_anything_else_is_refused_with_what_would_do(text: str, said: str) -> None:
    with pytest.raises(UsageFault) as refused:
        parse_address(text)
    assert said in refused.value.message
    assert "local:N" in refused.value.hint


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageFault) as refused:
        parse_address("tcp://jane:hunter2@host:8786")
    assert "hunter2" not in refused.value.message + refused.value.hint
    assert "certificates" in refused.value.hint


@pytest.mark.parametrize(
    ("text", "exposed"),
    [
        ("tcp://10.0.0.1:1", True),
        ("tcp://host:1", True),
        ("tcp://127.0.0.1:1", False),
        ("tcp://[::1]:1", False),
        ("tcp://localhost:1", False),
        ("tls://10.0.0.1:1", False),
        ("local:1", False),
    ],
)
def test_what_anybody_on_the_network_can_reach_is_known(text: str, exposed: bool) -> None:
    assert parse_address(text).is_exposed is exposed
