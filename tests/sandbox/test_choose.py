from __future__ import annotations

import os
from pathlib import Path

import pytest

from dev_agent.errors import EnvironmentFault, UsageFault
from dev_agent.sandbox import binary, kernel, landlock, seccomp
from dev_agent.sandbox import choose as module
from dev_agent.sandbox.bubblewrap import Bubblewrap
from dev_agent.sandbox.choose import choose, default_scratch_root, explain, probes
from dev_agent.sandbox.job import Ended, EndedHow
from dev_agent.sandbox.off import Off
from dev_agent.sandbox.profile import Profile
from dev_agent.sandbox.sandbox import SandboxUnavailable
from tests.testing.machine import needs_namespaces


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A bwrap that has a version and cannot do anything."""
    path = tmp_path / "bwrap"
    path.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && exec echo bubblewrap 0.11.0\n'
        "echo 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n"
    )
    path.chmod(0o755)
    return path


@needs_namespaces
def test_a_sandbox_that_works_says_what_it_is(tmp_path: Path) -> None:
    sandbox = choose("auto", Profile(), scratch_root=tmp_path)
    told = sandbox.describe()
    assert (sandbox.name, sandbox.tier) == ("bubblewrap", 1)
    assert (told["name"], told["profile"]) == ("bubblewrap", "default")
    assert told["caller"] == ("root" if os.geteuid() == 0 else "user")
    assert told["gives"]
    assert told["lacks"]
    assert choose("bubblewrap", Profile(), scratch_root=tmp_path).describe() == told


@pytest.fixture
def no_landlock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel without it."""
    monkeypatch.setattr(kernel, "landlock_abi", lambda: 0)


@needs_namespaces
def test_the_weaker_tier_is_taken_only_where_the_stronger_fails(tmp_path: Path, broken: Path) -> None:
    assert choose("auto", Profile(), scratch_root=tmp_path).tier == 1
    instead = choose("auto", Profile(), scratch_root=tmp_path, bwrap=broken)
    assert (instead.name, instead.tier) == ("landlock", 2)
    assert "namespaces" in str(instead.describe()["lacks"])
    assert choose("landlock", Profile(), scratch_root=tmp_path).describe() == instead.describe()
    with pytest.raises(SandboxUnavailable):
        choose("bubblewrap", Profile(), scratch_root=tmp_path, bwrap=broken)


@pytest.mark.parametrize(("abi", "said"), [(0, "has none, or it is switched off"), (3, "offers ABI 3")])
def test_a_kernel_whose_landlock_is_too_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abi: int, said: str
) -> None:
    monkeypatch.setattr(kernel, "landlock_abi", lambda: abi)
    with pytest.raises(SandboxUnavailable, match=said) as caught:
        choose("landlock", Profile(), scratch_root=tmp_path)
    assert "Linux 6.7" in caught.value.hint


def test_a_kernel_that_refuses_what_it_offers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "_DEVICES", ("/dev/no-such-device",))
    with pytest.raises(SandboxUnavailable, match="no-such-device"):
        choose("landlock", Profile(), scratch_root=tmp_path)


@pytest.mark.usefixtures("no_landlock")
def test_no_sandbox_never_means_running_without_one(tmp_path: Path, broken: Path) -> None:
    for setting in ("auto", "bubblewrap"):
        with pytest.raises(SandboxUnavailable) as caught:
            choose(setting, Profile(), scratch_root=tmp_path, bwrap=broken)
        assert "uid map: Permission denied" in caught.value.message
        assert caught.value.hint


def test_off_is_only_ever_asked_for_by_name(tmp_path: Path) -> None:
    sandbox = choose("off", Profile(), scratch_root=tmp_path)
    assert isinstance(sandbox, Off)
    assert sandbox.describe()["tier"] == 0
    assert "any boundary" in str(sandbox.describe()["lacks"])


def test_an_unknown_setting(tmp_path: Path) -> None:
    with pytest.raises(UsageFault) as caught:
        choose("none", Profile(), scratch_root=tmp_path)
    assert caught.value.hint == "there are: auto, bubblewrap, landlock, off"


@needs_namespaces
def test_probes_explain_each_place(tmp_path: Path, broken: Path) -> None:
    working = [probe for probe in probes(scratch_root=tmp_path) if probe.works]
    assert working
    assert "version 0." in working[0].detail
    probe, second = probes(scratch_root=tmp_path, bwrap=broken)
    assert (second.name, second.works, second.tier) == ("landlock", True, 2)
    assert (probe.name, probe.works, probe.tier) == ("bubblewrap (configured)", False, 1)
    assert "uid map" in probe.detail
    assert probe.remedy


@pytest.mark.usefixtures("no_landlock")
def test_root_without_setpriv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary, "find_setpriv", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert not any(probe.works for probe in probes(scratch_root=tmp_path))
    with pytest.raises(SandboxUnavailable, match="setpriv") as caught:
        choose("auto", Profile(), scratch_root=tmp_path)
    assert "util-linux" in caught.value.hint


@needs_namespaces
@pytest.mark.usefixtures("no_landlock")
def test_a_setpriv_that_does_not_know_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("an ordinary user's jobs need none")
    monkeypatch.setattr(binary, "find_setpriv", lambda: Path("/usr/bin/false"))
    with pytest.raises(SandboxUnavailable, match="ended with exited 1"):
        choose("auto", Profile(), scratch_root=tmp_path)


def test_a_machine_without_a_filter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp, "supported", lambda _: False)
    with pytest.raises(SandboxUnavailable, match="no system-call filter"):
        choose("auto", Profile(), scratch_root=tmp_path)


@pytest.mark.parametrize(
    ("reason", "apparmor", "container", "remedy"),
    [
        ("setpriv: unrecognized option: reuid", "0", False, "setpriv of util-linux"),
        (
            "bwrap: setting up uid map: Permission denied",
            "1",
            True,
            "apparmor_restrict_unprivileged_userns=0",
        ),
        ("bwrap: Creating new namespace failed: Operation not permitted", "0", True, "--security-opt"),
        ("bwrap: No permissions to create new namespace", "0", False, "user.max_user_namespaces"),
        ("bwrap: something else", "0", False, "--sandbox=off"),
    ],
)
def test_every_failure_has_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str, apparmor: str, container: bool, remedy: str
) -> None:
    (tmp_path / "apparmor").write_text(apparmor + "\n")
    if container:
        (tmp_path / "mark").touch()
    monkeypatch.setattr(module, "_APPARMOR", tmp_path / "apparmor")
    monkeypatch.setattr(module, "_CONTAINER_MARKS", (tmp_path / "mark",))
    assert remedy in explain(reason)


def test_the_default_scratch_root_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = default_scratch_root()
    assert path.parent == tmp_path.resolve()
    assert path.stat().st_mode & 0o777 == 0o700
    assert default_scratch_root() == path
    path.chmod(0o777)
    with pytest.raises(EnvironmentFault, match="not a private directory"):
        default_scratch_root()
    path.rmdir()
    path.symlink_to("/root")
    with pytest.raises(EnvironmentFault, match="not a private directory"):
        default_scratch_root()


def test_where_an_overlay_does_not_work_scratch_is_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_overlay_may_work", lambda _: True)
    real = Bubblewrap.run

    def run(self: Bubblewrap, *arguments: object) -> object:
        if self.overlay:
            return Ended(how=EndedHow.UNAVAILABLE, detail="no overlay here")
        return real(self, *arguments)  # type: ignore[arg-type] # passed on as they are

    monkeypatch.setattr(Bubblewrap, "run", run)
    assert choose("auto", Profile(), scratch_root=tmp_path).describe()["scratch"] == "copy"


def test_another_system_than_linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    for setting in ("auto", "bubblewrap", "landlock", "off"):
        with pytest.raises(SandboxUnavailable, match="needs Linux") as caught:
            choose(setting, Profile(), scratch_root=tmp_path)
        assert "Linux container" in caught.value.hint
