"""What a path tells about a file: whether it may be shown, whether reading it is worth it, how much it counts.

Rules by name only, so they hold before a byte is read. `WITHHELD` files (environments, keys, credentials) are never
read, ranked or shown, whatever a task says.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache


class Kind(StrEnum):
    """The kinds of files a task can be about; the first that fits counts."""

    WITHHELD = "withheld"
    BINARY = "binary"
    LOCK = "lock"
    VENDORED = "vendored"
    GENERATED = "generated"
    TEST = "test"
    EXAMPLE = "example"
    PYTHON = "python"
    CODE = "code"
    PROSE = "prose"
    OTHER = "other"


WEIGHT = {
    Kind.BINARY: 0.1, Kind.LOCK: 0.1, Kind.VENDORED: 0.35, Kind.GENERATED: 0.3, Kind.TEST: 0.45, Kind.EXAMPLE: 0.45,
    Kind.PYTHON: 1.0, Kind.CODE: 1.0, Kind.PROSE: 0.4, Kind.OTHER: 0.5,
}  # fmt: skip
"""By how much all that speaks for a file is multiplied: prose repeats a task's words, code is what changes."""

PATH_ONLY = frozenset({Kind.WITHHELD, Kind.BINARY, Kind.LOCK})
"""Never read; but for the withheld ones, ranked by their names."""

OUTLINED_ONLY = frozenset({Kind.VENDORED, Kind.GENERATED})
"""Read for their outlines, but bodies do not count."""

_RULES: tuple[tuple[Kind, str], ...] = (
    (
        Kind.WITHHELD,
        (r"(?:^|/)(?:\.env(?:\.(?!example$|sample$|template$|dist$)[^/]*)?|[^/]*\.env|\.envrc|\.netrc|_netrc|\.pypirc|\.npmrc"
         r"|\.pgpass|\.htpasswd|\.git-credentials|id_(?:rsa|dsa|ecdsa|ed25519)[^/]*"
         r"|credentials(?:\.(?:json|ya?ml|toml|ini|csv))?|secrets?\.(?:json|ya?ml|toml|ini|env)"
         r"|[^/]+\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|asc|gpg))$"
         r"|(?:^|/)\.(?:ssh|gnupg|aws|azure|kube)/"),
    ),
    (
        Kind.BINARY,
        (r"\.(?:png|jpe?g|gif|ico|bmp|webp|tiff?|pdf|zip|gz|bz2|xz|zst|tar|tgz|whl|egg|jar|so|dll|dylib|exe|pyc|pyd|o|a"
         r"|class|woff2?|ttf|otf|eot|mp[34]|avi|mov|ogg|wav|npy|npz|pkl|pickle|parquet|db|sqlite3?|bin|dat|mo|inv|svg)$"),
    ),
    (
        Kind.LOCK,
        r"(?:^|/)(?:[^/]*\.lock|package-lock\.json|pnpm-lock\.yaml|go\.sum|npm-shrinkwrap\.json|requirements[^/]*\.lock)$",
    ),
    (
        Kind.VENDORED,
        r"(?:^|/)(?:_?vendor(?:ed)?|third[-_]party|node_modules|bower_components|site-packages|external|extern|typeshed)/",
    ),
    (
        Kind.GENERATED,
        (r"(?:_pb2(?:_grpc)?\.pyi?|\.pb\.go|\.g\.dart|\.min\.(?:js|css)|\.map|\.generated\.[a-z]+|_generated\.[a-z]+)$"
         r"|(?:^|/)(?:dist|build|__generated__)/"),
    ),
    (
        Kind.TEST,
        (r"(?:^|/)(?:tests?|testing/data|test[-_]data|fixtures|spec|__tests__)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest"
         r"|[^/]*\.(?:test|spec))\.[a-z]+$"),
    ),
    (Kind.EXAMPLE, r"(?:^|/)(?:examples?|samples?|benchmarks?|docs?(?:_src)?|tools|scripts|bench|tutorials?)/.*\.py$"),
    (Kind.PYTHON, r"\.pyw?$"),
    (
        Kind.CODE,
        (r"\.(?:[cm]?[jt]sx?|go|rs|java|kt|kts|scala|swift|c|h|cc|cpp|cxx|hpp|hh|cs|rb|php|pl|pm|lua|r|jl|ex|exs|erl|hs"
         r"|ml|mli|clj|dart|sh|bash|zsh|ps1|sql|vue|svelte|zig|nim|pyi|pyx|pxd|m|mm|proto|tf)$"),
    ),
    (
        Kind.PROSE,
        (r"\.(?:md|rst|txt|adoc|po|pot|html?|tex)$|(?:^|/)(?:docs?|changelogs?|newsfragments|changes|news)/"
         r"|(?:^|/)(?:CHANGE|NEWS|HISTORY|AUTHORS|LICEN[CS]E|CONTRIBUT)[^/]*$"),
    ),
)  # fmt: skip
_COMPILED = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _RULES)


@lru_cache(maxsize=1 << 17)
def kind_of(path: str) -> Kind:
    """The kind of the file at `path`."""
    return next((kind for kind, pattern in _COMPILED if pattern.search(path)), Kind.OTHER)
