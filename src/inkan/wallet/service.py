"""The wallet as files: one page in three languages, what it has to know, its service worker, its manifest.

All of it is made once at start. The page holds no fact about anybody: it is the same for every phone, is kept by
the phone's browser for when there is no network, and asks the platform for the rest with the phone's own key.
"""

import base64
import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec

from inkan.wallet.rules import ADDRESSES, ENTRY, HOME, STYLES, manifest
from inkan.web.languages import Language, Languages
from inkan.web.templates import Templates
from inkan.wire import reasons, shown
from inkan.wire.wallet_tables import wallet_tables

_HERE: Final = Path(__file__).parent
_WORKER: Final = "wallet/sw.js"
_WAITS: Final = "A request waits in your wallet"
BUILT: Final = _HERE / "built"
"""Where the reader of codes lies once it is built; absent in a work tree where it is not."""


class WalletFacts(msgspec.Struct, frozen=True, rename="camel"):
    """What the wallet is told beside its files.

    Attributes:
        platform: origin of the platform, the issuer that the phone is bound at.
        wallet: its own origin; the host is the RP ID of its passkeys.
        is_test: whether this is no production instance; the wallet says so on every screen.
        official_site: where the operator publishes name, version and place of the wallet (TW-35, HCA-51).
        screens: other origins whose codes it may read as text, where it has no camera to read them with.
    """

    platform: str
    wallet: str
    is_test: bool
    official_site: str
    version: str
    screens: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReaderFile:
    """A file of the reader of codes: its address, which holds its hash, and its bytes as gzip."""

    path: str
    media_type: str
    compressed: bytes

    @property
    def plain(self) -> bytes:
        """The bytes for whoever takes no gzip."""
        return gzip.decompress(self.compressed)


@dataclass(frozen=True)
class CodeReader:
    """The reader of codes for browsers without one of their own: a worker and its WebAssembly."""

    script: ReaderFile
    wasm: ReaderFile


def read_reader(folder: Path = BUILT) -> CodeReader | None:
    """The reader that `make reader` built; None where it is not built, and codes then come by message."""
    if not folder.is_dir():
        return None
    return CodeReader(
        script=_reader_file(folder, "reader.js", "text/javascript; charset=utf-8"),
        wasm=_reader_file(folder, "reader.wasm", "application/wasm"),
    )


def _reader_file(folder: Path, name: str, kind: str) -> ReaderFile:
    body = (folder / f"{name}.gz").read_bytes()
    stem, _, suffix = name.rpartition(".")
    return ReaderFile(f"/reader/{stem}.{_digest(body)[:16]}.{suffix}", kind, body)


@dataclass(frozen=True)
class Shell:
    """Everything that the wallet's origin serves of the wallet itself."""

    templates: Templates
    facts: WalletFacts
    reader: CodeReader | None = None

    @cached_property
    def texts(self) -> Mapping[Language, bytes]:
        """The wallet's texts by language: JSON object, English sentence to text, ``reason.{code}`` to the reason's."""
        return {
            language: msgspec.json.encode(
                self._languages.translations[language].plain | _reasons(language)
            )
            for language in Language
        }

    @cached_property
    def _languages(self) -> Languages:
        return Languages([_HERE / "locale"])

    @cached_property
    def text_paths(self) -> Mapping[Language, str]:
        """Where the texts are, under names that hold their hash."""
        return {
            language: f"/texts.{language}.{_digest(body)[:16]}.json"
            for language, body in self.texts.items()
        }

    @cached_property
    def pages(self) -> Mapping[Language, bytes]:
        """The page; its language is that of the words for browsers without script, all else is chosen by the wallet."""
        modules = self.templates.assets.closure(ENTRY)
        return {
            language: self.templates.render(
                "wallet/shell.html",
                language,
                settings=self._settings,
                entry=ENTRY,
                modules=[module for module in modules if module != ENTRY],
                styles=STYLES,
            ).encode()
            for language in Language
        }

    @cached_property
    def worker(self) -> bytes:
        """The service worker: its program behind the list of what it keeps."""
        assets = self.templates.assets
        names = (*assets.closure(ENTRY), *STYLES, "web/seal.svg")
        files = [{"url": assets.url(name), "integrity": assets.integrity(name)} for name in names]
        files += [
            {"url": path, "integrity": _integrity(self.texts[language])}
            for language, path in self.text_paths.items()
        ]
        made = {
            "files": files,
            "page": HOME,
            "addresses": [HOME, *ADDRESSES],
            "later": []
            if self.reader is None
            else [self.reader.script.path, self.reader.wasm.path],
            "notice": {
                language: self._languages.gettext(language, _WAITS) for language in Language
            },
            "icon": assets.url("wallet/icon-192.png"),
        }
        program = assets.by_path[assets.url(_WORKER)].body
        seed = b"".join((*self.pages.values(), msgspec.json.encode(made), program))
        shell = msgspec.json.encode(made | {"version": _digest(seed)[:16]})
        return b"self.SHELL = " + shell + b";\n" + program

    @cached_property
    def manifest(self) -> bytes:
        """The web app manifest, which makes the wallet installable."""
        return msgspec.json.encode(manifest(self.templates.assets.url))

    @cached_property
    def _settings(self) -> str:
        """The facts as JSON, for an attribute of the page."""
        known: dict[str, Any] = msgspec.to_builtins(self.facts)
        reader = self.reader and {"script": self.reader.script.path, "wasm": self.reader.wasm.path}
        return msgspec.json.encode(
            known
            | {
                "texts": self.text_paths,
                "shown": wallet_tables(),
                "reader": reader,
                "seal": self.templates.assets.url("web/seal.svg"),
            }
        ).decode()


def _reasons(language: Language) -> dict[str, str]:
    """Why a use did not end well, as its record says it by code."""
    return {
        f"reason.{code}": text[shown.Language(language)] for code, text in reasons.texts().items()
    }


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _integrity(body: bytes) -> str:
    return f"sha384-{base64.b64encode(hashlib.sha384(body).digest()).decode('ascii')}"
