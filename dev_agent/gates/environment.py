"""What is installed for an interpreter, read from disk without running anything of it.

Distributions by their `*.dist-info` (name and version; entry points; requirements from METADATA, PEP 566; RECORD,
PEP 376; direct_url.json, PEP 610), editable installs by `.pth` files and setuptools' `__editable__` finders. Together
they make the digest that keys every cached verdict: an upgraded dependency is another environment.
"""

from __future__ import annotations

import ast
import configparser
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dev_agent.values import dataclass

_MAPPING = re.compile(r"^MAPPING[^=\n]*=\s*(\{.*?\})\s*$", re.MULTILINE | re.DOTALL)
_TEST_PLUGINS = "pytest11"
_REQUIRED = re.compile(rb"^Requires-Dist:[ \t]*([A-Za-z0-9][\w.-]*)([^\r\n]*)", re.MULTILINE)
_OF_EXTRA = re.compile(rb"\bextra\s*==")


@dataclass(frozen=True, kw_only=True, slots=True)
class Distribution:
    """One installed distribution. `name` is normalised (PEP 503); `plugins` are its pytest11 entry points."""

    name: str
    version: str
    site: Path
    folder: str
    digest: str
    plugins: tuple[tuple[str, str], ...] = ()
    editable: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PathFile:
    """A `.pth` file or an editable finder: the directories it adds, and the digest of its text."""

    path: Path
    digest: str
    folders: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """Everything found in the site directories of one interpreter."""

    distributions: tuple[Distribution, ...]
    path_files: tuple[PathFile, ...]

    def find(self, name: str) -> Distribution | None:
        """The distribution that an import would meet first."""
        return next((one for one in self.distributions if one.name == name), None)

    def needs_editable(self, distribution: Distribution) -> bool:
        """Whether it needs, itself or by what it needs, something that is installed as an editable checkout.

        pytest is not followed: whoever loads plugins has it. Requirements of extras are not counted.
        """
        known = {one.name: one for one in reversed(self.distributions)}
        seen = {"pytest"}
        left = [distribution.name]
        while left:
            one = known.get(left.pop())
            if one is None or one.name in seen:
                continue
            if one.editable is not None:
                return True
            seen.add(one.name)
            left += _required(_read(one.site / one.folder / "METADATA"))
        return False

    @property
    def added_folders(self) -> tuple[Path, ...]:
        """Directories that `.pth` files and editable finders add, in order, each once."""
        return tuple(dict.fromkeys(folder for one in self.path_files for folder in one.folders))

    def top_level_names(self) -> frozenset[str]:
        """Top-level modules and packages lying in the site directories themselves."""
        sites = dict.fromkeys(one.site for one in self.distributions)
        return frozenset(name for site in sites for name in importable_names(site))


def read_installed(
    site_dirs: Sequence[Path], *, is_folder: Callable[[Path], bool] = Path.is_dir
) -> Installed:
    """What the site directories hold, in import order. Unreadable pieces read as empty, never as an error.

    `is_folder` decides whether a path that a path file names is there: where the repository is shown to the gates at a
    place that this machine does not have, only the caller knows.
    """
    distributions: list[Distribution] = []
    path_files: list[PathFile] = []
    for site in site_dirs:
        names = _listed(site)
        distributions += [_distribution(site, name) for name in names if name.endswith(".dist-info")]
        path_files += [_path_file(site, name, is_folder) for name in names if name.endswith(".pth")]
        path_files += [_finder(site, name, is_folder) for name in names if _is_finder(name)]
    return Installed(distributions=tuple(distributions), path_files=tuple(path_files))


def importable_names(folder: Path) -> Iterable[str]:
    """Names that `import` finds in a directory: modules, extension modules and packages."""
    for name in _listed(folder):
        stem, _, suffix = name.partition(".")
        if not stem.isidentifier():
            continue
        if (
            suffix == "py"
            or suffix.endswith("so")
            or (not suffix and (folder / name / "__init__.py").is_file())
        ):
            yield stem


def normalised(name: str) -> str:
    """A distribution's name as PEP 503 writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _listed(folder: Path) -> list[str]:
    try:
        return sorted(one.name for one in folder.iterdir())
    except OSError:
        return []


def _distribution(site: Path, folder_name: str) -> Distribution:
    folder = site / folder_name
    stem, _, version = folder_name.removesuffix(".dist-info").rpartition("-")
    record = _read(folder / "RECORD") or _read(folder / "METADATA")
    return Distribution(
        name=normalised(stem),
        version=version,
        site=site,
        folder=folder_name,
        digest=hashlib.sha256(record).hexdigest(),
        plugins=_test_plugins(_read(folder / "entry_points.txt")),
        editable=_editable(_read(folder / "direct_url.json")),
    )


def _required(metadata: bytes) -> list[str]:
    head = metadata.partition(b"\n\n")[0]
    return [normalised(name.decode()) for name, rest in _REQUIRED.findall(head) if not _OF_EXTRA.search(rest)]


def _test_plugins(text: bytes) -> tuple[tuple[str, str], ...]:
    if _TEST_PLUGINS.encode() not in text:
        return ()
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[method-assign,assignment]  # names are case-sensitive
    try:
        parser.read_string(text.decode(errors="replace"))
    except configparser.Error:
        return ()
    if _TEST_PLUGINS not in parser:
        return ()
    return tuple((name, target.partition(":")[0].strip()) for name, target in parser[_TEST_PLUGINS].items())


def _editable(text: bytes) -> Path | None:
    try:
        data = json.loads(text)
        if not data["dir_info"]["editable"]:
            return None
        return Path(unquote(urlsplit(data["url"]).path))
    except (ValueError, KeyError, TypeError):
        return None


def _path_file(site: Path, name: str, is_folder: Callable[[Path], bool]) -> PathFile:
    text = _read(site / name)
    folders: list[Path] = []
    for line in text.decode(errors="replace").splitlines():
        entry = line.strip()
        if not entry or entry.startswith(("#", "import ", "import\t")) or "\0" in entry:
            continue
        folder = (site / entry).resolve()
        if is_folder(folder):
            folders.append(folder)
    return PathFile(path=site / name, digest=hashlib.sha256(text).hexdigest(), folders=tuple(folders))


def _is_finder(name: str) -> bool:
    return name.startswith("__editable__") and name.endswith("_finder.py")


def _finder(site: Path, name: str, is_folder: Callable[[Path], bool]) -> PathFile:
    """Setuptools writes `MAPPING = {'acme': '/repo/src/acme'}` into its finder modules."""
    text = _read(site / name)
    folders: list[Path] = []
    found = _MAPPING.search(text.decode(errors="replace"))
    if found:
        try:
            mapping = ast.literal_eval(found.group(1))
        except (ValueError, SyntaxError):
            mapping = {}
        folders = [Path(one).parent for one in mapping.values() if isinstance(one, str)]
    return PathFile(
        path=site / name,
        digest=hashlib.sha256(text).hexdigest(),
        folders=tuple(one for one in dict.fromkeys(folders) if one.is_absolute() and is_folder(one)),
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
