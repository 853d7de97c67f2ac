"""The images of a repository's test modules in one piece, as they are kept and as a test run is shown them. Pure.

    kept    sha256 of what follows (32 bytes) | shown
    shown   length of the header (8 bytes, big-endian) | header | images
    header  ASCII JSON: {"tag": what made them, "seen": [blob ids],
                         "images": {sha256 of a source: [start, length, sha256 of the image]}}

`seen` are the files that were looked at, those that have no image among them: what did not compile once does not
compile the next time. `start` counts from the end of the header. `runner/images.py` reads the second form.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Collection, Iterable, Mapping
from dataclasses import field
from types import MappingProxyType

from dev_agent.values import dataclass

_LENGTH = struct.Struct(">Q")
_SEAL = hashlib.sha256().digest_size

Place = tuple[int, int, str]
"""Where an image starts behind the header, its length, its sha256."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageBundle:
    """`shown` is what a test run gets; empty where there is no image. `tag` is the maker's: a Python and a pytest."""

    tag: str = ""
    seen: frozenset[str] = frozenset()
    shown: bytes = b""
    places: Mapping[str, Place] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, tag: str, seen: Iterable[str], images: Mapping[str, bytes]) -> ImageBundle:
        """A bundle of images (bytes) by the sha256 of their sources, hex."""
        places: dict[str, Place] = {}
        start = 0
        for source, image in images.items():
            places[source] = (start, len(image), hashlib.sha256(image).hexdigest())
            start += len(image)
        looked_at = frozenset(seen)
        header = json.dumps({"tag": tag, "seen": sorted(looked_at), "images": places}).encode("ascii")
        shown = b"".join([_LENGTH.pack(len(header)), header, *images.values()])
        return cls(tag=tag, seen=looked_at, shown=shown, places=places)

    def images_of(self, sources: Collection[str]) -> dict[str, bytes]:
        """The images of these sources, as far as there are any."""
        (length,) = _LENGTH.unpack_from(self.shown) if self.shown else (0,)
        behind = _LENGTH.size + length
        return {
            source: self.shown[behind + start : behind + start + size]
            for source, (start, size, _) in self.places.items()
            if source in sources
        }

    def kept(self) -> bytes:
        """The bytes to keep."""
        return hashlib.sha256(self.shown).digest() + self.shown


def read_bundle(kept: bytes) -> ImageBundle | None:
    """The inverse of `kept`; None for what is torn, altered or of another shape."""
    seal, shown = kept[:_SEAL], kept[_SEAL:]
    if hashlib.sha256(shown).digest() != seal:
        return None
    try:
        (length,) = _LENGTH.unpack_from(shown)
        header = json.loads(shown[_LENGTH.size : _LENGTH.size + length])
        places = {
            str(source): (int(start), int(size), str(digest))
            for source, (start, size, digest) in header["images"].items()
        }
        return ImageBundle(
            tag=str(header["tag"]), seen=frozenset(map(str, header["seen"])), shown=shown, places=places
        )
    except (ValueError, KeyError, TypeError, AttributeError, struct.error):
        return None
