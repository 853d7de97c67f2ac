from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dev_agent.repository.signing import NotSigned, SignatureCheck, Signed, Trust, sign, verify
from tests.testing.repos import Project

DATA = b"DSSEv1 28 application/vnd.in-toto+json 2 {}"


@pytest.fixture
def key(project: Project, tmp_path: Path) -> Path:
    """An ed25519 key that the project's git signs with, and whose owner it allows."""
    path = make_key(tmp_path / "key")
    allowed = tmp_path / "allowed"
    allowed.write_text(f"cam@example.com {public(path)}\n")
    configure(project, user_signingkey=str(path), gpg_format="ssh", gpg_ssh_allowedSignersFile=str(allowed))
    return path


def make_key(path: Path, passphrase: str = "") -> Path:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-C", "test", "-N", passphrase, "-f", path], check=True
    )
    return path


def public(path: Path) -> str:
    return path.with_suffix(".pub").read_text().strip()


def fingerprint(path: Path) -> str:
    listed = subprocess.run(["ssh-keygen", "-l", "-f", path], check=True, capture_output=True, text=True)
    return listed.stdout.split()[1]


def configure(project: Project, **settings: str) -> None:
    for name, value in settings.items():
        project.git("config", name.replace("_", "."), value)


def signed(project: Project, data: bytes = DATA) -> Signed:
    result = sign(project.repository(), data)
    assert isinstance(result, Signed), result
    return result


def test_what_the_user_signs_is_trusted(project: Project, key: Path) -> None:
    before = project.snapshot()

    made = signed(project)

    assert made.fingerprint == fingerprint(key)
    assert verify(project.repository(), DATA, made.signature) == SignatureCheck(
        trust=Trust.TRUSTED, principal="cam@example.com", fingerprint=made.fingerprint
    )
    assert project.snapshot() == before
    assert list((project.git_dir / "dev-agent" / "tmp").iterdir()) == []


def test_the_same_bytes_have_the_same_signature(project: Project, key: Path) -> None:
    assert signed(project) == signed(project)
    assert signed(project) != signed(project, DATA + b" ")


def test_other_bytes_are_not_signed_by_it(project: Project, key: Path) -> None:
    made = signed(project)

    assert verify(project.repository(), DATA + b" ", made.signature).trust is Trust.BAD
    assert verify(project.repository(), b"", made.signature).trust is Trust.BAD


def test_a_signature_made_for_another_purpose_is_bad(project: Project, key: Path) -> None:
    for_git = sign(project.repository(), DATA, namespace="git")
    assert isinstance(for_git, Signed)

    assert verify(project.repository(), DATA, for_git.signature).trust is Trust.BAD
    assert verify(project.repository(), DATA, for_git.signature, namespace="git").trust is Trust.TRUSTED


@pytest.mark.parametrize(
    "junk", [b"", b"junk", b"-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"]
)
def test_junk_is_a_bad_signature(project: Project, key: Path, junk: bytes) -> None:
    assert verify(project.repository(), DATA, junk).trust is Trust.BAD


def test_a_key_nobody_vouches_for_is_unknown(project: Project, key: Path, tmp_path: Path) -> None:
    stranger = make_key(tmp_path / "stranger")
    configure(project, user_signingkey=str(stranger))

    check = verify(project.repository(), DATA, signed(project).signature)

    assert (check.trust, check.principal, check.fingerprint) == (Trust.UNKNOWN, "", fingerprint(stranger))
    assert fingerprint(stranger) in check.reason


def test_without_allowed_signers_every_key_is_unknown(project: Project, key: Path) -> None:
    project.git("config", "--unset", "gpg.ssh.allowedSignersFile")

    check = verify(project.repository(), DATA, signed(project).signature)

    assert check.trust is Trust.UNKNOWN
    assert "allowedSignersFile is not set" in check.reason


def test_a_signer_allowed_for_commits_only_is_not_trusted(
    project: Project, key: Path, tmp_path: Path
) -> None:
    (tmp_path / "allowed").write_text(f'cam@example.com namespaces="git" {public(key)}\n')

    check = verify(project.repository(), DATA, signed(project).signature)

    assert check.trust is Trust.UNKNOWN


def test_a_revoked_key_is_not_trusted(project: Project, key: Path, tmp_path: Path) -> None:
    (tmp_path / "revoked").write_text(public(key) + "\n")
    made = signed(project)
    configure(project, gpg_ssh_revocationFile=str(tmp_path / "revoked"))

    check = verify(project.repository(), DATA, made.signature)

    assert check.trust is Trust.UNKNOWN
    assert check.reason.startswith("cam@example.com is not accepted: ")


def test_a_home_relative_key_is_found(project: Project, key: Path) -> None:
    home = Path(project.environ["HOME"])
    key.rename(home / "signing")
    configure(project, user_signingkey="~/signing")

    assert verify(project.repository(), DATA, signed(project).signature).trust is Trust.TRUSTED


@pytest.mark.parametrize("prefix", ["key::", ""])
def test_a_literal_key_is_signed_with_by_the_agent(
    project: Project, key: Path, tmp_path: Path, prefix: str
) -> None:
    configure(project, user_signingkey=prefix + public(key))
    socket = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.PIPE)
    try:
        assert agent.stdout is not None
        agent.stdout.readline()  # it says where it listens once it does
        subprocess.run(
            ["ssh-add", "-q", key],
            check=True,
            env={**project.environ, "SSH_AUTH_SOCK": str(socket)},
            capture_output=True,
        )
        with_agent = project.with_environ(SSH_AUTH_SOCK=str(socket))

        assert verify(project.repository(), DATA, signed(with_agent).signature).trust is Trust.TRUSTED
    finally:
        agent.terminate()
        agent.communicate()


def test_a_literal_key_without_an_agent_is_a_note(project: Project, key: Path) -> None:
    configure(project, user_signingkey="key::" + public(key))

    result = sign(project.repository(), DATA)

    assert isinstance(result, NotSigned)
    assert "ssh-add" in result.hint


def test_a_locked_key_asks_nobody(project: Project, tmp_path: Path) -> None:
    locked = make_key(tmp_path / "locked", passphrase="secret words")
    configure(project, gpg_format="ssh", user_signingkey=str(locked))

    result = sign(project.repository(), DATA)

    assert isinstance(result, NotSigned)
    assert result.reason


def test_another_format_or_no_key_is_a_note(project: Project) -> None:
    no_format = sign(project.repository(), DATA)
    assert isinstance(no_format, NotSigned)
    assert "gpg.format" in no_format.hint

    configure(project, gpg_format="ssh")
    no_key = sign(project.repository(), DATA)
    assert isinstance(no_key, NotSigned)
    assert "user.signingkey" in no_key.hint


def test_a_missing_program_is_a_note_and_never_a_verdict(project: Project, key: Path) -> None:
    made = signed(project)
    configure(project, gpg_ssh_program="/nonexistent/ssh-keygen")

    result, check = sign(project.repository(), DATA), verify(project.repository(), DATA, made.signature)

    assert isinstance(result, NotSigned)
    assert "/nonexistent/ssh-keygen" in result.reason
    assert check.trust is Trust.UNCHECKED
    assert "/nonexistent/ssh-keygen" in check.reason
