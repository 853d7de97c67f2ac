"""Who may ask, for what, and how often: decided from tokens, names and the owner's words alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev_agent.errors import UsageFault
from dev_agent.mcp.access import Access, Place, Refused, programs_of
from dev_agent.mcp.clients import clients_from, read_tokens
from dev_agent.mcp.http import Guard, Rate, address_of, require_guarded
from dev_agent.mcp.owners import Owners

TOKEN, OTHER = "a" * 30, "b" * 30


def place(folder: Path, name: str = "shop") -> Place:
    return Place(name=name, root=folder, owners=Owners(path=folder / "mcp" / "owners"))


def test_a_token_names_its_client_and_nothing_else_does() -> None:
    clients = clients_from({"laptop": TOKEN, "ci": OTHER})
    assert clients.named(f"Bearer {TOKEN}") == "laptop"
    assert clients.named(f"bearer  {OTHER} ") == "ci"
    for wrong in (
        None,
        "",
        TOKEN,
        f"Basic {TOKEN}",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        "Bearer ",
        "Bearer é",
    ):
        assert clients.named(wrong) is None
    assert TOKEN not in repr(clients)


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ({"Laptop": TOKEN}, "is no name for a client"),
        ({"local": TOKEN}, "is no name for a client"),
        ({"a b": TOKEN}, "is no name for a client"),
        ({"laptop": "short"}, "is not 24 or more printable ASCII"),
        ({"laptop": "ö" * 30}, "is not 24 or more printable ASCII"),
        ({"laptop": TOKEN, "ci": TOKEN}, "has the token of another client"),
    ],
)
def test_a_client_that_will_not_do_is_refused_and_no_token_is_repeated(
    tokens: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageFault, match=said) as refused:
        clients_from(tokens)
    assert not any(token in f"{refused.value.message}{refused.value.hint}" for token in tokens.values())


def test_a_token_file_is_read_and_comments_are_not(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"# who\n\nlaptop {TOKEN}\n ci\t{OTHER}\n")
    file.chmod(0o600)
    assert read_tokens(file) == {"laptop": TOKEN, "ci": OTHER}


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (f"laptop {TOKEN}\n", 0o644, "can be read by others"),
        ("# nobody\n", 0o600, "names no client"),
        (f"laptop {TOKEN} extra\n", 0o600, ":1: this line is not"),
        (f"laptop {TOKEN}\nlaptop {OTHER}\n", 0o600, ":2: this line is not"),
        ("\xff", 0o600, "this line is not"),
    ],
)
def test_a_token_file_that_will_not_do_is_refused_with_its_line(
    tmp_path: Path, content: str, mode: int, said: str
) -> None:
    file = tmp_path / "tokens"
    file.write_text(content)
    file.chmod(mode)
    with pytest.raises(UsageFault, match=said) as refused:
        read_tokens(file)
    assert TOKEN not in refused.value.message


def test_a_client_of_a_network_sees_its_own_runs_and_the_one_at_stdio_all(tmp_path: Path) -> None:
    access = Access(places={"shop": place(tmp_path)})
    shop = access.place(None)
    shop.owners.record("20261122-100000000-00000001", "laptop")

    access.require_own("laptop", shop, "20261122-100000000-00000001")
    access.require_own("local", shop, "20261122-100000000-00000001")
    for client, run in (("ci", "20261122-100000000-00000001"), ("laptop", "20261122-100000000-00000002")):
        with pytest.raises(Refused, match="there is no run"):
            access.require_own(client, shop, run)
    Access(places=access.places, shared=True).require_own("ci", shop, "20261122-100000000-00000001")


def test_a_run_stays_whose_it_was_whatever_a_tear_left_in_the_file(tmp_path: Path) -> None:
    owners = place(tmp_path).owners
    owners.record("run-1", "laptop")
    with owners.path.open("a") as file:
        file.write("run-2 lap")  # killed in the middle of `laptop`, and there is a client `lap`
    owners.record("run-3", "ci")
    owners.record("run-1", "ci")
    assert owners.all() == {"run-1": "laptop", "run-3": "ci"}
    assert owners.owner("run-2") is None


def test_what_the_server_was_not_started_for_is_refused_in_plain_words(tmp_path: Path) -> None:
    access = Access(places={"shop": place(tmp_path), "bank": place(tmp_path, "bank")}, read_only=True)
    with pytest.raises(Refused, match="say which repository; there are: bank, shop"):
        access.place(None)
    with pytest.raises(Refused, match=r"no repository '\.\./etc' here"):
        access.place("../etc")
    with pytest.raises(Refused, match="only reads"):
        access.require_change()
    with pytest.raises(Refused, match="without --allow-approvals"):
        Access(places=access.places).require_approvals()
    with pytest.raises(Refused, match="no program 'x' here; there are: none"):
        access.program("x")


def test_programs_are_named_by_the_owner_with_their_files(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text("")
    found = programs_of([f"review={tmp_path}/p.toml,{tmp_path}/a.py"])
    assert (found["review"].file, found["review"].actions) == (tmp_path / "p.toml", f"{tmp_path}/a.py")
    for wrong in ("review", "review=p.toml", "=a,b", f"x={tmp_path}/none.toml,a.py"):
        with pytest.raises(UsageFault):
            programs_of([wrong])


def test_an_address_is_the_loopback_unless_it_is_named_and_needs_a_token_everywhere() -> None:
    assert address_of("8765").host == "127.0.0.1"
    assert address_of("[::1]:80").is_loopback
    assert not address_of("0.0.0.0:80").is_loopback
    for wrong in ("", "host", "host:", "1:99999", "8x"):
        with pytest.raises(UsageFault, match="is no address"):
            address_of(wrong)
    for where in ("8765", "0.0.0.0:8765"):
        with pytest.raises(UsageFault, match="no client has a token"):
            require_guarded(address_of(where), clients_from({}))
    require_guarded(address_of("0.0.0.0:8765"), clients_from({"laptop": TOKEN}))


def test_a_client_gets_its_share_and_no_more_and_time_gives_it_back() -> None:
    now = [0.0]
    rate = Rate(per_minute=60, burst=3, clock=lambda: now[0])
    assert [rate.admits("a") for _ in range(5)] == [True, True, True, False, False]
    assert rate.admits("b")
    now[0] = 1.0
    assert [rate.admits("a") for _ in range(2)] == [True, False]


def answered(headers: dict[str, str], rate: Rate) -> tuple[int, int]:
    """The status of one request through the guard, and how often the protocol was reached."""
    reached: list[str] = []
    sent: list[dict[str, object]] = []

    async def protocol(scope: object, receive: object, send: object) -> None:
        reached.append("protocol")
        sent.append({"status": 200})

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    guard = Guard(
        app=protocol,
        clients=clients_from({"laptop": TOKEN}),
        origins=frozenset({"https://mine.example"}),
        rate=rate,
    )
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    coroutine = guard({"type": "http", "headers": raw}, send, send)  # type: ignore[arg-type]  # nothing is received
    with pytest.raises(StopIteration):
        coroutine.send(None)
    return int(str(sent[0]["status"])), len(reached)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": f"Bearer {OTHER}"}, 401),
        ({"Authorization": f"Bearer {TOKEN}", "Origin": "https://evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"Authorization": f"Bearer {TOKEN}", "Origin": "https://mine.example"}, 200),
    ],
)
def test_the_guard_lets_nothing_past_but_a_known_token_from_no_strange_page(
    headers: dict[str, str], status: int
) -> None:
    assert answered(headers, Rate()) == (status, int(status == 200))


def test_a_client_that_asks_too_often_is_told_so_and_does_not_reach_the_protocol() -> None:
    rate = Rate(per_minute=1, burst=1, clock=lambda: 0.0)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert [answered(headers, rate) for _ in range(2)] == [(200, 1), (429, 0)]
