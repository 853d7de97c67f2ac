"""The list of a campaign as users and strangers write it: what could be meant otherwise is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.errors import UsageFault
from dev_agent.programs.campaigning.address import Address, Kind, parse_address
from dev_agent.programs.campaigning.listing import MOST, Entry, only, parse_listing
from dev_agent.programs.campaigning.work import Job, branch_for, child_words, from_json, to_json
from dev_agent.programs.request import is_branch_name
from dev_agent.programs.spending import Spending


def listed(text: str) -> tuple[Entry, ...]:
    return parse_listing(text, source="list", folder="/lists", home="/home/ann")


def refused(text: str) -> str:
    with pytest.raises(UsageFault) as fault:
        listed(text)
    return fault.value.message


def test_paths_urls_comments_and_settings_are_told_apart() -> None:
    entries = listed(
        "# all of ours\n"
        "../billing\r\n"
        "\n"
        "'my project' path=src/** path='a b' remote=upstream   # quoted\n"
        "~/shop branch=agent/typing repository=octo/shop\n"
        "https://host.test/o/tools.git from=stable\n"
        "git@host.test:o/tools2\n"
    )
    assert [one.address.text for one in entries] == [
        "/billing",
        "/lists/my project",
        "/home/ann/shop",
        "https://host.test/o/tools.git",
        "git@host.test:o/tools2",
    ]
    assert [one.address.kind for one in entries] == [
        Kind.FOLDER,
        Kind.FOLDER,
        Kind.FOLDER,
        Kind.HTTPS,
        Kind.SSH,
    ]
    assert (entries[1].paths, entries[1].remote) == (("src/**", "a b"), "upstream")
    assert (entries[2].branch, entries[2].repository) == ("agent/typing", "octo/shop")
    assert (entries[3].start, entries[4].address.host, entries[4].address.path) == (
        "stable",
        "host.test",
        "o/tools2",
    )


@pytest.mark.parametrize(
    "text",
    [
        "https://ann:hunter2@host.test/o/tools",
        "https://hunter2@host.test/o/tools",
        "ssh://ann:hunter2@host.test/o/tools",
        "git://hunter2@host.test/o/tools",
        "https://host.test/o/tools?access_token=hunter2",
        "https://host.test\\@hunter2/o",
        "https://a@b@hunter2/o",
        "HTTPS://x:hunter2@host.test/o/tools",
    ],
)
def test_a_url_with_a_secret_in_it_is_refused_and_shown_nowhere(text: str) -> None:
    said = refused(f"ok-folder\n{text}\n")
    assert "line 2" in said
    assert "hunter2" not in said


@given(user=st.text("abc-._~%", min_size=1), secret=st.from_regex(r"[A-Za-z0-9]{12}", fullmatch=True))
def test_no_spelling_of_credentials_comes_through(user: str, secret: str) -> None:
    """Law: whatever stands before an @ of an https URL, it is refused, and its text is not repeated."""
    for authority in (f"{user}:{secret}@h.test", f"{secret}@h.test", f":{secret}@h.test"):
        with pytest.raises(UsageFault) as fault:
            parse_address(f"https://{authority}/o/r", folder="/", home="/")
        assert secret not in fault.value.message + fault.value.hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("--upload-pack=touch${IFS}x", "looks like an option"),
        ("ext::sh -c id", "not a setting"),
        ("ext::sh", "the transport 'ext' is not used"),
        ("http://host.test/o/r", "the transport 'http' is not used"),
        ("fd::17/foo", "the transport 'fd' is not used"),
        ("ssh://-oProxyCommand=id/o", "names no host and repository"),
        ("https:///o/r", "names no host and repository"),
        ("https://host.test", "names no host and repository"),
        ("https://host.test:port/o/r", "a URL cannot be read"),
        ("file://host/path", "names no folder here"),
        ("'a\x1b[2Jb'", "characters that do not show"),
        ("a b", "'b' is not a setting"),
        ("a brnach=x", "'brnach=x' is not a setting"),
        ("a branch=-x", "not a usable name"),
        ("a branch=x branch=y", "branch= is said twice"),
        ("a from=x", "from= is for what is cloned"),
        ("a 'b", "a quotation is not closed"),
        ("a\n./a", "the same repository as on line 1"),
        ("https://h.test/o/r\nhttps://h.test/o/r.git/", "the same repository as on line 1"),
        ("# nothing", "names no repository"),
        ("\n".join(f"r{number}" for number in range(MOST + 1)), f"{MOST} are allowed"),
    ],
)
def test_what_could_be_meant_otherwise_is_refused(text: str, said: str) -> None:
    assert said in refused(text)


def test_every_fault_is_told_at_once_with_its_line() -> None:
    said = refused("good\nhttp://h.test/a\nb c\n-d\n")
    assert all(f"line {number}" in said for number in (2, 3, 4))
    assert "line 1" not in said


def test_only_takes_names_by_a_part_or_a_pattern_and_refuses_what_fits_nothing() -> None:
    names = ("repos/attrs", "repos/click", "libs/attrs")
    assert only(names, ["attrs"]) == (0, 2)
    assert only(names, ["repos/*", "libs/attrs"]) == (0, 1, 2)
    with pytest.raises(UsageFault, match="fits no repository"):
        only(names, ["atrs"])


@given(task=st.text(max_size=200))
def test_every_task_has_a_branch_that_is_a_branch(task: str) -> None:
    """Law: the branch of a campaign that named none is safe wherever a branch's name goes."""
    assert is_branch_name(branch_for(task))
    assert branch_for(task).startswith("dev-agent/")


def test_what_others_wrote_is_no_option_of_a_child() -> None:
    entry = Entry(name="x", address=Address(kind=Kind.FOLDER, text="/x"), paths=("--json",))
    grant = Spending(model_calls=3, tokens=9, money=1_250_000, wall_ms=120_000)
    words = child_words(
        Job(task="--version", branch="b", asked=True), entry, place="/x", key="k", grant=grant
    )
    assert words[words.index("--") + 1 :] == ("--version",)
    assert {"--path=--json", "--max-calls=3", "--max-tokens=9", "--max-cost=1.250000", "--max-time=2"} <= set(
        words
    )
    command = Job(task="-t", branch="b", asked=True, command=("rm", "--help"), dry_run=True)
    words = child_words(command, entry, place="/x", key="k", grant=grant)
    assert words[:3] == ("run", "-C", "/x")
    assert words[words.index("--") + 1 :] == ("rm", "--help")
    assert {"--task=-t", "--dry-run"} <= set(words)
    words = child_words(command, entry, place="/x", key="k", grant=grant, judged="tls://h:1")
    assert words.index("--cluster=tls://h:1") < words.index("--")
    assert not [one for one in words if one.startswith("--max")]


def test_a_job_and_its_list_come_back_from_a_trace_as_they_were() -> None:
    entries = listed("a path=x path=y\nhttps://h.test/o/r from=m branch=q repository=o/r remote=u\n")
    job = Job(
        task="t", branch="b", asked=True, command=("x",), patched=True, options=("--policy=ci",), publish=True
    )
    assert from_json(to_json(job, entries)) == (job, entries)
