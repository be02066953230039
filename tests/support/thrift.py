"""What worlds need not make anew: RSA keys, opened keys, the cost of a card's PIN, the pages' texts, the wallet's files.

While a world is open, RSA keys come from the stock of this process: none comes twice in a test, and the next
test, whose database is another, starts with the same ones. Curves are quick and stay fresh. Keys, texts and
compiled pages are only ever read.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric import rsa

from inkan.client import software_card
from inkan.composition import routes
from inkan.crypto import keys
from inkan.wallet import service as wallet
from inkan.web.languages import Languages
from inkan.web.templates import Templates
from support.keyring import STOCK

PIN_COST = 2**10

_load = keys.load_der_private_key
_patches = ExitStack()


@contextmanager
def thrift() -> Iterator[None]:
    """To be entered while a world is open; worlds may be open beside each other."""
    if not STOCK.holders:
        _patches.enter_context(patch.object(keys, "generate_rsa", _take))
        _patches.enter_context(patch.object(keys, "load_der_private_key", _opened))
        _patches.enter_context(patch.object(software_card, "_PIN_COST", PIN_COST))
        _patches.enter_context(patch.object(routes, "Templates", _templates))
        _patches.enter_context(patch.object(routes, "Shell", _shell))
        _patches.enter_context(patch.object(wallet, "Languages", _languages))
    STOCK.holders += 1
    try:
        yield
    finally:
        STOCK.holders -= 1
        if not STOCK.holders:
            _patches.close()


def _take(exponent: int, bits: int) -> rsa.RSAPrivateKey:
    assert exponent == keys.MIN_RSA_EXPONENT
    return STOCK.take(bits)


@lru_cache(maxsize=256)
def _opened(der: bytes, password: None) -> Any:
    """OpenSSL checks an RSA key for 50 ms whenever it is loaded; the same bytes are the same key."""
    return _load(der, password=password)


@cache
def _kept(packages: tuple[tuple[str, Any], ...], **options: Any) -> Templates:
    return Templates(dict(packages), **options)


def _templates(packages: dict[str, Any], **options: Any) -> Templates:
    return _kept(tuple(packages.items()), **options)


@lru_cache(maxsize=8)
def _shell(*parts: Any) -> wallet.Shell:
    """The wallet's files differ by what the instance tells it: mostly its origins."""
    return wallet.Shell(*parts)


def _languages(folders: Sequence[Path]) -> Languages:
    return _read(tuple(folders))


@cache
def _read(folders: tuple[Path, ...]) -> Languages:
    return Languages(folders)
