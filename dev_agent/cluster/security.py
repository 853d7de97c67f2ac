"""A key and a certificate for one cluster on one machine, that nobody else has and that end with it.

A port on the loopback is open to every user of a machine, and whoever may submit jobs to workers runs code as their
owner. So both ends of every connection show the one certificate there is, and accept no other: it is its own authority.
The key lies in a folder that only its owner can enter, for as long as the cluster lives.

Clusters of others are the business of Dask's own settings (docs/cluster.md).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from dev_agent.errors import EnvironmentFault
from dev_agent.process import run
from dev_agent.values import dataclass

_DAYS = 30
_NAME = "dev-agent-local"
_NEW_KEY = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tls:
    """Files in PEM: whose certificates are accepted, and what this end shows."""

    ca: Path
    cert: Path
    key: Path


def temporary_tls(folder: Path) -> Tls:
    """A new key with its certificate, in `folder`, which is private already. Raises EnvironmentFault.

    Killed on any line: a key that nothing trusts yet, in a folder that goes with the cluster's.
    """
    key, cert = folder / "key.pem", folder / "cert.pem"
    if not _by_library(key, cert):
        _by_program(key, cert)
    return Tls(ca=cert, cert=cert, key=key)


def _by_library(key: Path, cert: Path) -> bool:
    """False where `cryptography` is not installed; nothing has to have it."""
    try:
        from datetime import UTC, datetime, timedelta  # noqa: PLC0415 - only here

        from cryptography import x509  # noqa: PLC0415 - heavy, and optional
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - as above
    except ImportError:
        return False
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, _NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        # A clock that is set back by a little while the cluster lives must not end it.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(secret, hashes.SHA256())
    )
    _write_private(
        key,
        secret.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )
    _write_private(cert, made.public_bytes(serialization.Encoding.PEM))
    return True


def _by_program(key: Path, cert: Path) -> None:
    program = shutil.which("openssl")
    if program is None:
        raise EnvironmentFault(
            "a cluster on this machine needs a certificate of its own, and nothing here can make one",
            hint="install the Python package cryptography beside dev-agent, or the program openssl",
        )
    _write_private(key, b"")  # openssl keeps the mode of a file that is there
    done = run(
        (
            program,
            *_NEW_KEY,
            "-days",
            str(_DAYS),
            "-subj",
            f"/CN={_NAME}",
            "-keyout",
            str(key),
            "-out",
            str(cert),
        ),
        cwd=key.parent,
        env={"PATH": os.defpath, "HOME": str(key.parent), "LC_ALL": "C"},
        timeout_s=60,
    )
    if not done.ok:
        said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise EnvironmentFault(
            f"openssl could not make a certificate: {said or f'it ended with status {done.code}'}",
            hint="install the Python package cryptography beside dev-agent",
        )


def _write_private(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
