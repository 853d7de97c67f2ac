"""Signing bytes with the user's git SSH key, and checking such signatures (SSHSIG, by `ssh-keygen -Y`).

The key is the one git itself signs with (`gpg.format=ssh`, `user.signingkey`: a file, or a literal key that
the agent holds); who may have signed is the user's `gpg.ssh.allowedSignersFile`. The namespace is our own, so
a signature made here can never pass for one on a commit, nor the reverse.

Not being able to sign is an outcome with a reason: whether it matters is policy. No key material is read
here, nothing is asked at a terminal, and what is signed reaches the program on its standard input.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.process import run
from dev_agent.repository.path_settings import path_setting
from dev_agent.repository.scratch import scratch
from dev_agent.repository.settings import read_settings
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.process import Completed
    from dev_agent.repository.discovery import Repository

NAMESPACE = "dev-agent-receipt@v1"
_TIMEOUT_S = 60.0
_MISSING = 127
_LITERAL = ("key::", "ssh-")
_FINGERPRINT = re.compile(r"\bSHA256:[A-Za-z0-9+/]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """An armoured SSH signature and the fingerprint (`SHA256:…`) of the key that made it."""

    signature: bytes
    fingerprint: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NotSigned:
    """Why there is no signature, and what would give one."""

    reason: str
    hint: str


class Trust(StrEnum):
    """What a signature is worth."""

    TRUSTED = "trusted"
    """Right, by a key the user's allowed signers name for this purpose."""
    UNKNOWN = "unknown"
    """Right, by a key nobody here vouches for."""
    BAD = "bad"
    """Not a signature of these bytes in this namespace."""
    UNCHECKED = "unchecked"
    """Could not be looked at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignatureCheck:
    """The result of `verify`; `principal` is set only if trusted, `reason` only if not."""

    trust: Trust
    principal: str = ""
    fingerprint: str = ""
    reason: str = ""


def sign(repository: Repository, data: bytes, *, namespace: str = NAMESPACE) -> Signed | NotSigned:
    """Sign `data` with the user's git SSH key."""
    if read_settings(repository).value("gpg.format") != "ssh":
        return NotSigned(
            reason="git is not set up to sign with an SSH key",
            hint="git config --global gpg.format ssh, and user.signingkey",
        )
    named = repository.git.setting("user.signingkey")
    if not named:
        return NotSigned(
            reason="no signing key is configured", hint="git config --global user.signingkey FILE"
        )
    with scratch(repository) as place:
        key = _key_file(repository, named, place.path)
        done = _keygen(repository, "sign", "-f", str(key), "-n", namespace, data=data)
        if not done.ok:
            return NotSigned(reason=_why(done), hint="make the signing key available (ssh-add), or its agent")
        checked = _keygen(
            repository,
            "check-novalidate",
            "-n",
            namespace,
            *_signature_file(place.path, done.stdout),
            data=data,
        )
        return Signed(signature=done.stdout, fingerprint=_fingerprint(checked))


def verify(
    repository: Repository, data: bytes, signature: bytes, *, namespace: str = NAMESPACE
) -> SignatureCheck:
    """What `signature` says about `data`, by the user's allowed signers as they are now."""
    with scratch(repository) as place:
        armour = _signature_file(place.path, signature)
        done = _keygen(repository, "check-novalidate", "-n", namespace, *armour, data=data)
        if done.code == _MISSING:
            return SignatureCheck(trust=Trust.UNCHECKED, reason=_why(done))
        if not done.ok:
            return SignatureCheck(trust=Trust.BAD, reason=_why(done))
        return _judge_key(repository, data, armour, namespace, _fingerprint(done))


def _judge_key(
    repository: Repository, data: bytes, armour: tuple[str, str], namespace: str, fingerprint: str
) -> SignatureCheck:
    """Whose key it is: the signature itself has been found right."""
    signers = path_setting(repository.git, "gpg.ssh.allowedSignersFile")
    if signers is None:
        reason = "gpg.ssh.allowedSignersFile is not set, so no key is known"
        return SignatureCheck(trust=Trust.UNKNOWN, fingerprint=fingerprint, reason=reason)
    found = _keygen(repository, "find-principals", "-f", str(signers), *armour)
    revoked = path_setting(repository.git, "gpg.ssh.revocationFile")
    revocation = ("-r", str(revoked)) if revoked else ()
    reason = f"no allowed signer has the key {fingerprint}"
    for principal in found.stdout.decode("utf-8", "replace").splitlines():
        named = ("-f", str(signers), "-I", principal, "-n", namespace, *revocation)
        done = _keygen(repository, "verify", *named, *armour, data=data)
        if done.ok:
            return SignatureCheck(trust=Trust.TRUSTED, principal=principal, fingerprint=fingerprint)
        reason = f"{principal} is not accepted: {_why(done)}"
    return SignatureCheck(trust=Trust.UNKNOWN, fingerprint=fingerprint, reason=reason)


def _keygen(repository: Repository, action: str, *args: str, data: bytes = b"") -> Completed:
    program = repository.git.setting("gpg.ssh.program") or "ssh-keygen"
    return run(
        [program, "-Y", action, *args],
        cwd=repository.git.cwd,
        # A passphrase cannot be asked for in the middle of a run.
        env={**repository.git.environment(), "SSH_ASKPASS_REQUIRE": "never"},
        timeout_s=_TIMEOUT_S,
        stdin=data,
        output_limit=1 << 20,
    )


def _key_file(repository: Repository, named: str, folder: Path) -> Path:
    """The file to give as the key: a literal public key is written to one, the agent has the rest."""
    if not named.startswith(_LITERAL):
        return path_setting(repository.git, "user.signingkey") or Path(named)
    literal = folder / "key.pub"
    literal.write_text(named.removeprefix("key::") + "\n", encoding="utf-8")
    return literal


def _signature_file(folder: Path, signature: bytes) -> tuple[str, str]:
    path = folder / "signature"
    path.write_bytes(signature)
    return "-s", str(path)


def _fingerprint(done: Completed) -> str:
    found = _FINGERPRINT.search(done.stdout.decode("utf-8", "replace"))
    return found[0] if found else ""


def _why(done: Completed) -> str:
    said = (done.stderr.strip() or done.stdout.strip()).decode("utf-8", "replace")
    return said or f"ssh-keygen ended with status {done.code}"
