"""Static files under names that hold their own hash: cacheable for ever, never stale, verifiable.

All files are read once at start. Pages name them through ``asset()`` and ``integrity()`` (SRI), so a file
that changed has a new address and a file that was tampered with on its way is not run. A module may import
another one beside it (``import … from "./name.js"``); the name is replaced by the hashed one. Lines of a module
that are comment alone stay here: they are for whoever reads the source, and a third of what a phone would load.
"""

import base64
import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256, sha384
from http import HTTPStatus
from pathlib import Path
from typing import Final

from inkan.web.response import Response

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_COMPRESSIBLE: Final = frozenset({".css", ".js", ".json", ".svg", ".txt", ".webmanifest"})
_IMPORT = re.compile(
    rb"""(?P<before>(?:\bfrom|\bimport)\s*["'])(?P<place>\./|web/)(?P<name>[\w.-]+\.js)(?=["'])"""
)
# Whole lines only, and the line ends stay, so that a fault names the line of the source.
_COMMENT = re.compile(rb"^[ \t]*(?://[^\n]*|/\*(?:(?!\*/).)*\*/[ \t]*)$", re.MULTILINE | re.DOTALL)
_FOREVER = (b"cache-control", b"public, max-age=31536000, immutable")


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served."""

    path: str
    body: bytes
    compressed: bytes | None
    media_type: str
    integrity: str
    """``sha384-…``, the value of an ``integrity`` attribute (W3C SRI)."""

    def response(self, accept_encoding: str | None) -> Response:
        """The file, compressed when the browser takes gzip; it holds no secret that size could betray."""
        headers = [_FOREVER, (b"vary", b"accept-encoding")]
        if self.compressed is not None and "gzip" in (accept_encoding or ""):
            headers.append((b"content-encoding", b"gzip"))
            return Response(
                HTTPStatus.OK, self.compressed, media_type=self.media_type, headers=headers
            )
        return Response(HTTPStatus.OK, self.body, media_type=self.media_type, headers=headers)


class Assets:
    """The static files of all packages, by ``{prefix}/{file name}``."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        """Read every file of every folder (prefix to folder; a folder that is absent holds nothing).

        Raises:
            ValueError: a file of an unknown kind, or modules that import each other in a circle.
        """
        self._files: dict[str, Path] = {
            f"{prefix}/{path.name}": path
            for prefix, folder in folders.items()
            if folder.is_dir()
            for path in sorted(folder.iterdir())
            if path.is_file()
        }
        self._assets: dict[str, Asset] = {}
        self._imports: dict[str, tuple[str, ...]] = {}
        for name in self._files:
            self._build(name, ())
        self.by_path = {asset.path: asset for asset in self._assets.values()}

    def url(self, name: str) -> str:
        """The address of ``web/base.css``."""
        return self._assets[name].path

    def integrity(self, name: str) -> str:
        """The SRI value of ``web/base.css``."""
        return self._assets[name].integrity

    def closure(self, name: str) -> tuple[str, ...]:
        """A module and everything that it imports, directly or not; each once, imported ones first."""
        found: dict[str, None] = {}
        for imported in self._imports.get(name, ()):
            found |= dict.fromkeys(self.closure(imported))
        return (*found, name)

    def _build(self, name: str, importers: tuple[str, ...]) -> Asset:
        if name in self._assets:
            return self._assets[name]
        if name in importers:
            raise ValueError(f"modules import each other: {' → '.join((*importers, name))}")
        path = self._files[name]
        if path.suffix not in _TYPES:
            raise ValueError(f"{name}: files of this kind are not served")
        body = path.read_bytes()
        if path.suffix == ".js":
            body = self._link(name, _without_comments(body), (*importers, name))
        self._assets[name] = asset = _asset(name, body, path.suffix)
        return asset

    def _link(self, name: str, body: bytes, importers: tuple[str, ...]) -> bytes:
        prefix = name.rpartition("/")[0]
        imports: dict[str, None] = {}

        def hashed(found: re.Match[bytes]) -> bytes:
            is_beside = found["place"] == b"./"
            wanted = f"{prefix if is_beside else 'web'}/{found['name'].decode('ascii')}"
            imports[wanted] = None
            imported = self._build(wanted, importers).path.rpartition("/")[2].encode("ascii")
            return found["before"] + (b"./" if is_beside else b"../web/") + imported

        linked = _IMPORT.sub(hashed, body)
        self._imports[name] = tuple(imports)
        return linked


def _without_comments(module: bytes) -> bytes:
    return _COMMENT.sub(lambda found: b"\n" * found[0].count(b"\n"), module)


def _asset(name: str, body: bytes, suffix: str) -> Asset:
    stem = name.removesuffix(suffix)
    digest = base64.b64encode(sha384(body).digest()).decode("ascii")
    small = gzip.compress(body, mtime=0) if suffix in _COMPRESSIBLE else None
    return Asset(
        path=f"/static/{stem}.{sha256(body).hexdigest()[:16]}{suffix}",
        body=body,
        compressed=small if small is not None and len(small) < len(body) else None,
        media_type=_TYPES[suffix],
        integrity=f"sha384-{digest}",
    )
