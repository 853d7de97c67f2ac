"""Workers in two network namespaces judge real projects while they are killed, cut off, and their scheduler restarted.

    python -m benchmarks.cluster_trial --projects DIR        as root; DIR keeps the prepared projects (a network, once)
    python -m benchmarks.cluster_trial --projects DIR --piece queue

Three pieces of work: candidates of a scripted model, a merge queue, a campaign over eleven projects from their source
packages. Each is done twice: quietly on this machine, and by two workers in namespaces of their own, a third one
holding the client and the scheduler, joined by cables, with TLS, while

    candidates   worker a is killed in the middle of judging, and started again
    queue        worker b's cable is pulled and put back; the scheduler is killed and started again; the client is
                 killed and `queue --resume` goes on
    campaign     worker b is killed and started again; the client is killed and `campaign --resume` goes on

A mischief that came too late is a failure of the trial: it has shown nothing. Then: both times the same came of it, and
it is what had to; both workers judged; every run's proof holds; processes, mounts, temporary files, locks: nothing is
left. Exit status 0 if all of that is so, 1 if not, 2 for wrong usage, 3 if this machine has no namespaces.

Killed at any line: namespaces named `da-trial-…` (`ip netns delete`), a folder in the temporary folder, and the
prepared projects as they were at that moment, which the next trial puts back first. Processes die with the trial.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.trial.leftovers import left_over
from benchmarks.trial.network import WORKERS, Network, NoNamespaces, network
from benchmarks.trial.processes import MARK, Process, TooLong, start, until
from benchmarks.trial.projects import prepare
from benchmarks.trial.work import Campaign, Candidates, Piece, Queue, put_back, read_end

SOURCE = Path(__file__).resolve().parent.parent
_PORT = 8786
_PATIENCE_S = 1200
_AWAY_S = 12
_JUDGED_BY = re.compile(rb'"worker":"(a|b)"')


@dataclass
class Trial:
    """One trial: its folder, its network, what runs in it, and what was found wrong."""

    folder: Path
    network: Network
    projects: Mapping[str, Path]
    running: dict[str, Process] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        for name in ("home", "tmp", "logs", "tls"):
            (self.folder / name).mkdir()
        (self.folder / "home" / ".gitconfig").write_text("[user]\n\tname = T\n\temail = t@example.org\n")
        self.logs, self.temporary = self.folder / "logs", self.folder / "tmp"
        self.key, self.cert = self.folder / "tls/key.pem", self.folder / "tls/cert.pem"
        self.url = f"tls://{self.network.address('client')}:{_PORT}"

    def say(self, text: str) -> None:
        """Tell it, with the seconds since the trial began."""
        sys.stdout.write(f"{time.monotonic() - self.began:6.0f} s  {text}\n")
        sys.stdout.flush()

    def check(self, claim: str, *, holds: bool, else_say: str = "") -> None:
        """Note whether it holds."""
        self.say(
            f"{'ok   ' if holds else 'WRONG'}  {claim}" + ("" if holds or not else_say else f": {else_say}")
        )
        if not holds:
            self.wrong.append(claim)

    def environ(self, *, far: bool) -> dict[str, str]:
        """What everything runs with; `far`: who asks the cluster, and how that knows them."""
        mine = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.temporary),
            "PYTHONPATH": str(SOURCE),
            "LC_ALL": "C.UTF-8",
            "ANTHROPIC_API_KEY": "sk-ant-trial",
            "DEV_AGENT_CAMPAIGNS": str(self.folder / "campaigns"),
            MARK: str(self.folder),
        }
        if not far:
            return mine
        dask = "DASK_DISTRIBUTED__COMM__TLS__"
        return {
            **mine,
            "DEV_AGENT_CLUSTER": self.url,
            f"{dask}CA_FILE": str(self.cert),
            f"{dask}CLIENT__CERT": str(self.cert),
            f"{dask}CLIENT__KEY": str(self.key),
        }

    def start(self, name: str, place: str, argv: Sequence[str], environ: Mapping[str, str]) -> Process:
        """Start a program in the namespace of `place`."""
        process = start(
            name, argv, inside=self.network.inside(place), environ=environ, logs=self.logs, cwd=self.folder
        )
        self.running[name] = process
        return process

    def start_cluster(self) -> None:
        """Certificates, the scheduler, both workers, and wait until those are there. Raises TooLong."""
        words = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        subprocess.run(
            ("openssl", *words, "-days", "2", "-subj", "/CN=trial", "-keyout", self.key, "-out", self.cert),
            check=True,
            capture_output=True,
        )
        self.key.chmod(0o600)
        self.start_scheduler()
        for name in WORKERS:
            self.start_worker(name)
        until(self._workers_are_there, "both workers have registered")

    def _workers_are_there(self) -> bool:
        for name in WORKERS:
            if not self.running[name].alive:
                raise TooLong(f"worker {name} has ended: {self.running[name].tail()}")
        return all("registered at" in self.running[name].tail() for name in WORKERS)

    def start_scheduler(self) -> None:
        """Dask's own, in the client's namespace."""
        tls = ("--tls-ca-file", str(self.cert), "--tls-cert", str(self.cert), "--tls-key", str(self.key))
        where = ("--host", self.network.address("client"), "--port", str(_PORT), "--protocol", "tls")
        argv = (sys.executable, "-m", "distributed.cli.dask_scheduler", *where, "--no-dashboard", *tls)
        # It keeps its locks in the temporary folder for good; what is ours is looked for in another one.
        own = self.folder / "scheduler"
        own.mkdir(exist_ok=True)
        self.start("scheduler", "client", argv, {**self.environ(far=False), "TMPDIR": str(own)})

    def start_worker(self, name: str) -> None:
        """One slot, in its own namespace, keeping what it has in its own folder."""
        tls = ("--tls-ca", str(self.cert), "--tls-cert", str(self.cert), "--tls-key", str(self.key))
        folder = self.folder / f"worker-{name}"
        words = ("worker", self.url, "--slots", "1", "--name", name, "--folder", str(folder), *tls)
        argv = (sys.executable, "-m", "dev_agent", *words, "--listen", self.network.address(name))
        self.start(name, name, argv, self.environ(far=False))

    def ask(self, repository: Path, *words: str) -> Mapping[str, Any]:
        """A question to `dev-agent`, answered by one JSON object. Raises AssertionError."""
        done = subprocess.run(
            (sys.executable, "-m", "dev_agent", *words, "-C", str(repository)),
            env=self.environ(far=False),
            cwd=self.folder,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            raise AssertionError(
                f"{' '.join(words)} in {repository.name} ended with {done.returncode}: {done.stderr[-300:]!r}"
            )
        value: Mapping[str, Any] = json.loads(done.stdout)
        return value


Mischief = Callable[[Trial, Process], None]


def kill_worker(name: str) -> Mischief:
    """SIGKILL in the middle of judging, and a new one two seconds later."""

    def do(trial: Trial, client: Process) -> None:
        _while_judging(trial, client, name)
        trial.running[name].kill()
        trial.say(f"       worker {name} was killed while it judged")
        time.sleep(2)
        trial.start_worker(name)

    return do


def cut_worker(name: str) -> Mischief:
    """Pull its cable while it judges, and put it back after a while."""

    def do(trial: Trial, client: Process) -> None:
        _while_judging(trial, client, name)
        trial.network.cut(name)
        trial.say(f"       worker {name}'s cable was pulled while it judged")
        time.sleep(_AWAY_S)
        trial.network.mend(name)
        trial.say(f"       worker {name}'s cable is back")

    return do


def restart_scheduler(trial: Trial, client: Process) -> None:
    """SIGKILL while a worker judges, and a new one at the same address that knows nothing."""
    _while_judging(trial, client, *WORKERS)
    trial.running["scheduler"].kill()
    trial.say("       the scheduler was killed while a worker judged")
    time.sleep(2)
    trial.start_scheduler()


def kill_client(trial: Trial, client: Process) -> None:
    """SIGKILL while a worker judges for it."""
    _while_judging(trial, client, *WORKERS)
    client.kill()
    trial.say("       the client was killed while a worker judged for it")


def _while_judging(trial: Trial, client: Process, *names: str) -> None:
    until(
        lambda: not client.alive or any(trial.running[name].busy() for name in names),
        f"one of {', '.join(names)} judges",
        seconds=300,
    )
    if not client.alive:
        raise TooLong(f"the work ended before the mischief; what it said: {client.tail()}")


def done_quietly(trial: Trial, piece: Piece) -> Mapping[str, Any]:
    """The piece by this machine alone; what it printed."""
    return _ended(trial, piece, f"{piece.name}-here", piece.begin(), (), far=False)


def done_by_workers(trial: Trial, piece: Piece, mischief: Sequence[Mischief]) -> Mapping[str, Any]:
    """The piece by the workers, while things happen to them; taken up again after the client was killed."""
    if kill_client not in mischief:
        return _ended(trial, piece, f"{piece.name}-far", piece.begin(), mischief, far=True)
    at = mischief.index(kill_client)
    name = f"{piece.name}-killed"
    client = trial.start(name, "client", _agent(piece.begin()), _for_client(trial, far=True))
    for one in mischief[: at + 1]:
        one(trial, client)
    return _ended(trial, piece, f"{piece.name}-far", piece.go_on(), mischief[at + 1 :], far=True)


def _ended(
    trial: Trial, piece: Piece, name: str, words: tuple[str, ...], mischief: Sequence[Mischief], *, far: bool
) -> Mapping[str, Any]:
    client = trial.start(name, "client", _agent(words), _for_client(trial, far=far))
    for one in mischief:
        one(trial, client)
    code = client.wait(_PATIENCE_S)
    if code != piece.exit_code:
        raise AssertionError(f"{name} ended with {code}, not {piece.exit_code}: {client.tail()}")
    return read_end(client.out)


def _agent(words: tuple[str, ...]) -> tuple[str, ...]:
    return sys.executable, "-m", "dev_agent", *words


def _for_client(trial: Trial, *, far: bool) -> dict[str, str]:
    port = trial.folder / "model.port"
    model = {"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port.read_text()}"} if port.exists() else {}
    return {**trial.environ(far=far), **model}


def tried(trial: Trial, piece: Piece, mischief: Sequence[Mischief]) -> None:
    """The piece, both ways, compared with one another and with what it was made to be."""
    _make_ready(piece)
    trial.say(f"{piece.name}: quietly, on this machine")
    quietly = _facts(trial, piece, lambda: done_quietly(trial, piece))
    _make_ready(piece)
    trial.say(f"{piece.name}: by two workers in their own namespaces")
    far = _facts(trial, piece, lambda: done_by_workers(trial, piece, mischief), judged_far=True)
    trial.check(
        f"{piece.name}: what came of it here had to", holds=quietly == piece.expected, else_say=str(quietly)
    )
    trial.check(
        f"{piece.name}: the workers' verdicts are the same", holds=far == piece.expected, else_say=str(far)
    )


def _make_ready(piece: Piece) -> None:
    for repository in piece.repositories:
        put_back(repository)
    piece.make_ready()


def _facts(
    trial: Trial, piece: Piece, do: Callable[[], Mapping[str, Any]], *, judged_far: bool = False
) -> object:
    """What came of it, and whether its proofs hold; a text if nothing did."""
    try:
        ended = do()
        facts = piece.facts(ended, trial.ask)
        runs = piece.runs(ended)
        bad = [run for place, run in runs if trial.ask(place, "verify", run, "--json").get("ok") is not True]
        trial.check(f"{piece.name}: {len(runs)} proofs hold", holds=bool(runs) and not bad, else_say=str(bad))
        if judged_far:
            _check_workers(trial, piece, runs)
    except (AssertionError, TooLong, RuntimeError, KeyError) as error:
        return f"{type(error).__name__}: {error}"
    return facts


def _check_workers(trial: Trial, piece: Piece, runs: Sequence[tuple[Path, str]]) -> None:
    """Workers judged, and not the client in their place."""
    traces = [place / ".git/dev-agent/runs" / run / "trace.jsonl" for place, run in runs]
    by = {name.decode() for trace in traces for name in _JUDGED_BY.findall(trace.read_bytes())}
    trial.check(f"{piece.name}: judged by {' and '.join(sorted(by)) or 'no worker'}", holds=bool(by))


def run_trial(trial: Trial, wanted: Sequence[str]) -> None:
    """All pieces; then everything is ended, and nothing may be left. Raises TooLong if no cluster can be had."""
    candidates = Candidates(repository=trial.projects["cachetools"])
    pieces: list[tuple[Piece, Sequence[Mischief]]] = [
        (candidates, (kill_worker("a"),)),
        (Queue(repository=trial.projects["pluggy"]), (cut_worker("b"), restart_scheduler, kill_client)),
        (Campaign(projects=trial.projects, listed=trial.folder / "repos"), (kill_worker("b"), kill_client)),
    ]
    try:
        trial.start_cluster()
        _serve_model(trial, candidates)
        for piece, mischief in pieces:
            if piece.name not in wanted:
                continue
            tried(trial, piece, mischief)
    finally:
        _end_all(trial)
    places = [repository for piece, _ in pieces if piece.name in wanted for repository in piece.repositories]
    left = left_over(trial.folder, trial.temporary, places)
    trial.check("nothing is left over", holds=not left, else_say="; ".join(left))


def _serve_model(trial: Trial, piece: Candidates) -> None:
    """The model both runs ask, on the loopback of the client's namespace."""
    script, port = trial.folder / "script.json", trial.folder / "model.port"
    script.write_text(json.dumps(piece.script() * 2))
    argv = (
        sys.executable,
        "-m",
        "tests.testing.model_server",
        "--script",
        str(script),
        "--port-file",
        str(port),
    )
    trial.start("model", "client", argv, trial.environ(far=False))
    until(port.exists, "the scripted model serves")


def _end_all(trial: Trial) -> None:
    for name, process in trial.running.items():
        if not process.alive:
            continue
        try:
            process.end()
        except TooLong as late:
            trial.check(f"{name} ends when it is told to", holds=False, else_say=str(late))


def main(argv: Sequence[str]) -> int:
    """See the module."""
    options = _parser().parse_args(argv)
    for number in (signal.SIGTERM, signal.SIGINT):
        # Told to stop, it goes by its own door: what it made is removed.
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    folder = Path(tempfile.mkdtemp(prefix="da-trial-"))
    try:
        projects = prepare(options.projects.resolve(), _uv())
        with network(folder.name) as joined:
            trial = Trial(folder=folder, network=joined, projects=projects)
            run_trial(trial, options.piece or ["candidates", "queue", "campaign"])
    except NoNamespaces as error:
        sys.stderr.write(f"{error}\n")
        return 3
    except (TooLong, RuntimeError) as error:
        sys.stderr.write(f"the trial could not be made: {error}\n")
        return 1
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    left = joined.left()
    trial.check("no namespace is left", holds=not left, else_say=", ".join(left))
    told = (
        "Passed: what had to come of it came of it."
        if not trial.wrong
        else f"{len(trial.wrong)} wrong: " + "; ".join(trial.wrong)
    )
    trial.say(told)
    return 1 if trial.wrong else 0


def _uv() -> str | None:
    """uv, if there is one: it makes eleven environments in seconds."""
    made = sorted((Path(sys.prefix)).glob("tool-*/bin/uv"))
    return str(made[0]) if made else shutil.which("uv")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cluster_trial",
        description="Try a cluster of two workers, and to break it.",
    )
    parser.add_argument("--projects", type=Path, required=True, help="the prepared projects; made if need be")
    parser.add_argument(
        "--piece", action="append", choices=("candidates", "queue", "campaign"), help="only this; repeatable"
    )
    parser.add_argument("--keep", action="store_true", help="keep the trial's folder, with everybody's logs")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
