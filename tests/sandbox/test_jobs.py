"""What a job can rely on, and how it ends, for every caller."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.sandbox.choose import choose
from dev_agent.sandbox.job import Ended, EndedHow, Job, Mount
from dev_agent.sandbox.profile import Profile
from tests.sandbox.lab import (
    DATA,
    LIMITS,
    NOBODY,
    READ_ONLY,
    SCRATCH,
    TMPFS,
    WRITABLE,
    Lab,
    limited,
    python_job,
)
from tests.testing.machine import needs_namespaces

ECHO = """
    import os
    text = b""
    while piece := os.read(3, 65536):
        text += piece
    os.write(4, b"%d bytes, then %r" % (len(text), os.read(3, 1)))
    print(os.read(0, 1))
"""


@pytest.mark.parametrize("size", [0, 5, 3_000_000])
def test_input_on_3_is_read_once_and_the_report_on_4_is_kept(any_lab: Lab, size: int) -> None:
    ended = any_lab.run(replace(python_job(ECHO), input=b"x" * size, report_bytes=1000))
    assert ended.report == b"%d bytes, then b''" % size
    assert ended.stdout == b"b''\n"


def test_without_a_report_wanted_descriptor_4_leads_nowhere(any_lab: Lab) -> None:
    ended = any_lab.run(python_job("import os; print(os.write(4, b'abc'))"))
    assert (ended.stdout, ended.report) == (b"3\n", b"")


@pytest.mark.parametrize(
    ("source", "how", "code", "number"),
    [
        ("", EndedHow.EXITED, 0, None),
        ("raise SystemExit(7)", EndedHow.EXITED, 7, None),
        ("raise SystemExit(125)", EndedHow.EXITED, 125, None),
        ("raise SystemExit(255)", EndedHow.EXITED, 255, None),
        ("import os; os.kill(os.getpid(), 11)", EndedHow.SIGNALLED, None, signal.SIGSEGV),
    ],
)
def test_how_a_job_ended_itself(
    any_lab: Lab, source: str, how: EndedHow, code: int | None, number: int | None
) -> None:
    ended = any_lab.run(python_job(source))
    assert (ended.how, ended.code, ended.signal, ended.detail) == (how, code, number, "")


def test_a_program_that_does_not_exist_fails_as_in_a_shell(any_lab: Lab) -> None:
    ended = any_lab.run(Job(argv=("no-such-program",), cwd=Path("/"), limits=LIMITS))
    assert (ended.how, ended.code) == (EndedHow.EXITED, 127)
    assert b"no-such-program" in ended.stderr


def test_a_working_directory_that_does_not_exist(any_lab: Lab) -> None:
    ended = any_lab.run(Job(argv=("true",), cwd=Path("/no/such/place"), limits=LIMITS))
    assert ended.how is EndedHow.UNAVAILABLE
    assert "/no/such/place" in ended.detail or "No such file" in ended.detail


def test_a_mount_source_that_vanished(lab: Lab) -> None:
    ended = lab.python("", mounts=[Mount(kind=READ_ONLY, target=Path("/x"), source=lab.place / "gone")])
    assert ended.how is EndedHow.UNAVAILABLE
    assert "gone: No such file" in ended.detail


def test_the_network_needs_the_profile_too(here_confined: Lab) -> None:
    here = here_confined
    job = replace(python_job("import os; print(os.listdir('/sys/class/net') if 0 else 'ran')"), network=True)
    ended = here.run(job)
    assert (ended.how, ended.stdout) == (EndedHow.UNAVAILABLE, b"")
    assert "gives no network" in ended.detail
    open_profile = choose(
        here.confinement, Profile(network=True), scratch_root=here.scratch_root, bwrap=here.bwrap
    )
    assert open_profile.run(job, Cancel()).stdout == b"ran\n"
    assert "a network boundary" in str(open_profile.describe()["lacks"])


@pytest.mark.parametrize("setting", ["auto", "landlock", "off"])
def test_a_cancelled_job(here: Lab, setting: str) -> None:
    sandbox = choose(setting, Profile(), scratch_root=here.scratch_root, bwrap=here.bwrap)
    cancel = Cancel()
    signals = here.place / "signals"
    signals.mkdir()

    def once_it_runs() -> None:
        while not (signals / "started").exists():
            time.sleep(0.01)
        cancel.request()

    job = python_job(
        "import time; open('started', 'w').close(); time.sleep(600)",
        mounts=[Mount(kind=WRITABLE, target=Path("/signals"), source=signals)],
        cwd=Path("/signals"),
    )
    waiting = threading.Thread(target=once_it_runs, daemon=True)
    waiting.start()
    ended = sandbox.run(job, cancel)
    assert (ended.how, ended.code, ended.detail) == (EndedHow.CANCELLED, None, "cancelled")
    assert sandbox.run(python_job(""), cancel).detail == "cancelled before it was started"


@pytest.mark.parametrize("setting", ["landlock", "off"])
def test_an_interrupt_while_a_job_runs_leaves_nothing(
    here: Lab, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("dev_agent.sandbox.watchdog.Watchdog.__call__", interrupted)
    tree = here.place / "tree"
    tree.mkdir()
    mounts = [Mount(kind=SCRATCH, target=Path("/tree"), source=tree)]
    with pytest.raises(KeyboardInterrupt):
        here.run(python_job("import time; time.sleep(300)", mounts=mounts), setting=setting)
    assert list(here.scratch_root.iterdir()) == []


@pytest.mark.parametrize("setting", ["landlock", "off"])
def test_scratch_space_inside_of_the_repository_that_is_imitated(here: Lab, setting: str) -> None:
    """As a run has it: copies lie in the git directory of the repository whose path is said anew."""
    repo, slot = here.place / "repo", here.place / "slot"
    (repo / ".git" / "scratch").mkdir(parents=True, mode=0o700)
    slot.mkdir()
    mounts = [Mount(kind=SCRATCH, target=repo, source=slot), Mount(kind=DATA, target=repo / ".git")]
    job = python_job(
        """
        import os, tempfile
        for folder in (os.environ["TMPDIR"], os.environ["HOME"], "."):
            tempfile.TemporaryFile(dir=folder).close()
        print(tempfile.gettempdir() == os.environ["TMPDIR"])
        """,
        mounts=mounts,
        cwd=repo,
    )
    ended = replace(here, scratch_root=repo / ".git" / "scratch").run(job, setting=setting)
    assert ended.stdout == b"True\n", ended


@pytest.mark.parametrize("ours", [True, False])
def test_scratch_can_be_written_everywhere_and_its_source_stays(lab: Lab, ours: bool) -> None:
    source = lab.place / "slot"
    (source / "sub").mkdir(parents=True)
    for name in ("a", "b", "sub/c"):
        (source / name).write_text(name)
    lab.own(lab.place)
    before = {one: (one.read_bytes() if one.is_file() else b"") for one in sorted(source.rglob("*"))}
    owner = (source / "a").stat().st_uid
    code = """
        import os, pathlib
        pathlib.Path("a").write_text("changed")
        pathlib.Path("new").write_text("new")
        pathlib.Path("b").unlink()
        pathlib.Path("sub/c").write_text("changed")
        pathlib.Path("sub/made").mkdir()
        os.rename("sub/c", "sub/made/c")
        print(sorted(os.listdir(".")), os.listdir("sub/made"))
    """
    mounts = [Mount(kind=SCRATCH, target=Path("/tree"), source=source, ours=ours)]

    ended = lab.run(python_job(code, mounts=mounts, cwd=Path("/tree")))

    assert ended.stdout == b"['a', 'new', 'sub'] ['c']\n", ended
    assert {one: (one.read_bytes() if one.is_file() else b"") for one in sorted(source.rglob("*"))} == before
    # Only what is private to us may change hands, and only where root's job is somebody else.
    assert ours or (source / "a").stat().st_uid == owner


def test_a_slot_of_roots_is_not_copied_where_overlays_work(here: Lab) -> None:
    source = here.place / "slot"
    source.mkdir()
    sandbox = choose("bubblewrap", Profile(), scratch_root=here.scratch_root)
    code = 'print([one.split()[2] for one in open("/proc/mounts") if " /tree " in one])'
    mounts = (Mount(kind=SCRATCH, target=Path("/tree"), source=source, ours=True),)

    ended = sandbox.run(python_job(code, mounts=mounts), Cancel())

    overlaid = sandbox.describe()["scratch"] == "overlay"
    assert (ended.stdout == b"['overlay']\n") is overlaid, ended


def test_all_kinds_of_mounts_together(lab: Lab) -> None:
    for name in ("slot/src", "cache", "venv"):
        (lab.place / name).mkdir(parents=True)
    (lab.place / "slot/src/code.py").write_text("staged")
    (lab.place / "venv/tool").write_text("tool")
    lab.own(lab.place)
    repo = Path("/home/ann/repo")
    mounts = [
        Mount(kind=DATA, target=repo / ".git", data=b"gitdir: nowhere\n"),
        Mount(kind=READ_ONLY, target=repo / ".venv", source=lab.place / "venv"),
        Mount(kind=SCRATCH, target=repo, source=lab.place / "slot"),
        Mount(kind=WRITABLE, target=repo / "deep" / ".cache", source=lab.place / "cache"),
        Mount(kind=TMPFS, target=repo / "build", size=1024**2),
        Mount(kind=DATA, target=repo / "build" / "made" / "note", data=b"note", mode=0o400),
    ]
    source = """
        import os
        for path in (".git", ".venv/tool", "src/code.py", "build/made/note"):
            print(open(path).read().strip())
        for path in (".git", ".venv/new", "build/made/note"):
            try:
                open(path, "w")
            except OSError:
                print("refused")
        for path in ("src/code.py", "new", "deep/.cache/kept", "build/new"):
            open(path, "w").write("written")
    """
    ended = lab.python(source, mounts=mounts, cwd=repo)
    assert ended.stdout.decode().split("\n")[:-1] == [
        "gitdir: nowhere",
        "tool",
        "staged",
        "note",
        *["refused"] * 3,
    ], ended
    assert list(lab.scratch_root.iterdir()) == []
    assert ended.code == 0, ended
    assert (lab.place / "cache/kept").read_text() == "written"
    assert sorted(str(path.relative_to(lab.place)) for path in lab.place.rglob("*") if path.is_file()) == [
        "cache/kept",
        "slot/src/code.py",
        "venv/tool",
    ]
    assert (lab.place / "slot/src/code.py").read_text() == "staged"
    assert list((lab.place / "slot").iterdir()) == [lab.place / "slot/src"]


def test_the_made_up_world_inside(namespaced: Lab) -> None:
    ended = namespaced.python("""
        import os, pwd, socket
        print(pwd.getpwuid(os.getuid()).pw_name, os.getuid() == os.geteuid() != 0, socket.gethostname())
        print(sorted(entry.pw_name for entry in pwd.getpwall()), os.getpid() < 20, os.getsid(0) != 0)
        print(len([name for name in os.listdir("/proc") if name.isdecimal()]))
    """)
    assert ended.stdout.decode().splitlines() == [
        "sandbox True sandbox",
        "['nobody', 'root', 'sandbox'] True True",
        "2",
    ]


def test_a_job_has_no_privilege_and_no_way_to_one(lab: Lab) -> None:
    ended = lab.python("""
        for line in open("/proc/self/status"):
            if line.startswith(("Cap", "NoNewPrivs", "Groups")):
                print(*line.split())
    """)
    told = dict(line.split(":") for line in ended.stdout.decode().splitlines())
    if not (lab.has_namespaces or lab.is_root):
        # An ordinary user may not shrink the bounding set; without new privileges nothing comes out of it.
        told["CapBnd"] = "0" * 16
    assert {name: value.strip() for name, value in told.items()} == {
        **dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), "0" * 16),
        "NoNewPrivs": "1",
        "Groups": "" if lab.is_root else told["Groups"].strip(),
    }


def test_a_new_user_namespace(namespaced: Lab) -> None:
    if namespaced.is_root:
        pytest.skip("without a user namespace of its own, the filter is what refuses")
    job = python_job("""
        import ctypes, errno
        libc = ctypes.CDLL(None, use_errno=True)
        print("MADE" if libc.unshare(0x10000000) == 0 else errno.errorcode[ctypes.get_errno()])
    """)
    assert namespaced.run(job, drop=("--seccomp *", "--disable-userns")).stdout == b"MADE\n"
    assert namespaced.run(job, drop=("--seccomp *",)).stdout == b"ENOSPC\n"
    assert namespaced.run(job, drop=("--disable-userns",)).stdout == b"EPERM\n"


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="about jobs that root starts")


@needs_root
def test_root_hands_writable_mounts_over_and_not_what_they_link_to(here_confined: Lab) -> None:
    here = here_confined
    cache, outside = here.place / "cache", here.place / "outside"
    cache.mkdir()
    outside.mkdir(mode=0o700)
    (outside / "file").touch()
    (cache / "link").symlink_to(outside)
    os.link(outside / "file", cache / "second-name")
    os.chown(cache, 1234, 1234)
    mounts = [Mount(kind=WRITABLE, target=Path("/cache"), source=cache)]
    source = "open('new', 'w').close(); import os; print(os.getuid())"
    ended = here.python(source, mounts=mounts, cwd=Path("/cache"))
    uid = int(ended.stdout)
    assert 61184 <= uid <= 65519 if here.has_namespaces else uid == 0
    assert [path.lstat().st_uid for path in (cache, cache / "new", cache / "link")] == [uid] * 3
    assert [path.stat().st_uid for path in (outside, outside / "file")] == [0, 0]


@needs_root
def test_root_without_its_capabilities_cannot_read_what_is_somebodys_alone(here: Lab) -> None:
    venv = here.place / "venv"
    venv.mkdir(mode=0o700)
    os.chown(venv, NOBODY, NOBODY)
    mounts = [Mount(kind=READ_ONLY, target=Path("/venv"), source=venv)]
    ended = here.run(python_job("print('ran')", mounts=mounts), setting="landlock")
    assert (ended.how, ended.stdout) == (EndedHow.UNAVAILABLE, b"")
    assert f"run dev-agent as its owner, or chmod -R o+rX {venv}" in ended.detail


@needs_root
def test_root_with_somebodys_private_environment_becomes_that_user(here: Lab) -> None:
    venv = here.place / "venv"
    venv.mkdir(mode=0o700)
    os.chown(venv, NOBODY, NOBODY)
    mounts = [Mount(kind=READ_ONLY, target=Path("/venv"), source=venv)]
    ended = here.python("import os; print(os.getuid(), os.listdir('/venv'))", mounts=mounts)
    assert ended.stdout == b"65534 []\n"


@needs_root
def test_root_with_an_environment_only_root_can_read(here: Lab) -> None:
    venv = here.place / "venv"
    (venv / "lib").mkdir(parents=True)
    (venv / "lib").chmod(0o700)
    mounts = [Mount(kind=READ_ONLY, target=Path("/venv"), source=venv)]
    ended = here.python("print('ran')", mounts=mounts)
    assert (ended.how, ended.stdout) == (EndedHow.UNAVAILABLE, b"")
    assert f"chmod -R o+rX {venv / 'lib'}" in ended.detail
    other = here.place / "other"
    other.mkdir(mode=0o700)
    os.chown(other, NOBODY, NOBODY)
    os.chown(venv / "lib", 1234, 1234)
    mounts.append(Mount(kind=READ_ONLY, target=Path("/other"), source=other))
    ended = here.python("print('ran')", mounts=mounts)
    assert "no one user can read all of" in ended.detail


def test_a_private_source_of_an_ordinary_user_needs_nothing(lab: Lab) -> None:
    if lab.is_root:
        pytest.skip("about ordinary users")
    venv = lab.place / "venv"
    venv.mkdir(mode=0o700)
    lab.own(venv)
    mounts = [Mount(kind=READ_ONLY, target=Path("/venv"), source=venv)]
    ended = lab.python("import os; print(os.listdir('.'))", mounts=mounts, cwd=Path("/venv"))
    assert ended.stdout == b"[]\n"


def test_jobs_of_several_threads_at_once(here_confined: Lab) -> None:
    here = here_confined
    sandbox = choose(here.confinement, Profile(), scratch_root=here.scratch_root, bwrap=here.bwrap)
    ended: dict[int, bytes] = {}

    def one(number: int) -> None:
        job = replace(python_job(ECHO), input=b"x" * number, report_bytes=100)
        ended[number] = sandbox.run(job, Cancel()).report

    threads = [threading.Thread(target=one, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == {number: b"%d bytes, then b''" % number for number in range(1, 5)}


def test_disk_growth_of_a_writable_mount(lab: Lab) -> None:
    cache = lab.place / "cache"
    cache.mkdir()
    lab.own(cache)
    mounts = [Mount(kind=WRITABLE, target=Path("/cache"), source=cache)]
    fill = """
        import os, time
        os.posix_fallocate(os.open("big", os.O_CREAT | os.O_WRONLY), 0, 20 * 1024**2)
        time.sleep({seconds})
    """
    where = Path("/cache")
    assert lab.python(fill.format(seconds=0), mounts=mounts, cwd=where).code == 0
    (cache / "big").unlink()
    small = limited(disk_bytes=10 * 1024**2)
    ended = lab.python(fill.format(seconds=300), mounts=mounts, cwd=where, limits=small)
    assert (ended.how, ended.detail) == (EndedHow.DISK, f"more than 10 MiB written to {cache}")


@needs_namespaces
def test_a_job_that_ends_takes_no_mount_from_another_one_on_the_same_tree(here: Lab) -> None:
    for name in ("slot", "venv", "signals"):
        (here.place / name).mkdir()
    (here.place / "venv/tool").write_text("tool")
    repo, signals = Path("/home/ann/repo"), here.place / "signals"
    mounts = [
        Mount(kind=READ_ONLY, target=repo, source=here.place / "slot"),
        Mount(kind=READ_ONLY, target=repo / ".venv", source=here.place / "venv"),
        Mount(kind=WRITABLE, target=Path("/signals"), source=signals),
    ]
    wait = """
        import os, time
        open("/signals/started", "w").close()
        while not os.path.exists("/signals/go"):
            time.sleep(0.01)
        print(open(".venv/tool").read())
    """
    first = threading.Thread(target=lambda: ended.append(here.python(wait, mounts=mounts, cwd=repo)))
    ended: list[Ended] = []
    first.start()
    while not (signals / "started").exists() and first.is_alive():
        first.join(0.01)
    assert here.python("print(open('.venv/tool').read())", mounts=mounts, cwd=repo).stdout == b"tool\n"
    (signals / "go").touch()
    first.join()
    assert ended[0].stdout == b"tool\n"
    assert list((here.place / "slot").iterdir()) == []


def test_a_working_directory_nobody_else_may_enter(lab: Lab) -> None:
    private = lab.place / "private"
    private.mkdir(mode=0o700)
    lab.own(private)
    for kind in (SCRATCH, WRITABLE):
        mounts = [Mount(kind=kind, target=Path("/work/here"), source=private)]
        ended = lab.python("open('made', 'w').close(); print('fine')", mounts=mounts, cwd=Path("/work/here"))
        assert ended.stdout == b"fine\n", ended
