"""What the operator of a worker says about it, as a frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dev_agent.cluster.building import Installer
from dev_agent.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkshopSettings:
    """What the operator says. Sizes in bytes.

    `declared` are virtual environments that may serve, `installer` builds more if there is one, `shown` are directories
    of the host that judged programs may read if the settings of a repository ask for it. Below `least_free` bytes on
    the disk nothing is begun.
    """

    name: str
    folder: Path
    environ: Mapping[str, str]
    declared: tuple[Path, ...] = ()
    installer: Installer | None = None
    shown: tuple[Path, ...] = ()
    cache_size: int = 20_000_000_000
    least_free: int = 256 * 1024 * 1024
