"""Phones of the tests whose keys are elsewhere (back end B), and answers that bring the wrong ones."""

from typing import Any

from inkan.client.authenticator_data import Ceremony
from inkan.crypto import base64url
from inkan.crypto.certificate_requests import build_csr
from inkan.crypto.keys import KeySpec, generate, spki_der
from support.node import Node
from support.phone_platform import PhonePlatform
from support.phone_words import b64
from wallet.js_phones import JSPhone, issue, prepared

SPECS = [KeySpec.RSA2048, KeySpec.P256]


def window(spec: str = KeySpec.P256) -> PhonePlatform:
    """A platform whose scheme allows keys outside the phone."""
    return PhonePlatform(key_spec=spec, key_backends=("A", "B"))


def bound(node: Node, platform: PhonePlatform, **options: Any) -> JSPhone:
    phone = prepared(node, platform, back_end="B", **options)
    issue(platform)
    assert phone("collect")["backEnd"] == "B"
    platform.calls.clear()
    platform.bodies.clear()
    return phone


def asked_of(phone: JSPhone) -> list[Ceremony]:
    """Each time that the person is asked, from now on."""
    asked: list[Ceremony] = []
    phone.verify_user = lambda ceremony: asked.append(ceremony) or True
    return asked


def other(spec: str) -> tuple[str, str]:
    """Request and key of somebody else."""
    key = generate(KeySpec(spec))
    return b64(build_csr(key)), b64(spki_der(key.public_key()))


def bent(answer: dict[str, Any], how: str, spec: str) -> dict[str, Any]:
    csrs, spkis = dict(answer["csrs"]), dict(answer["spkis"])
    csr, spki = other(spec)
    flipped = bytearray(base64url.decode(csrs["sign"]))
    flipped[-1] ^= 1
    changes: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "another key": ({}, {"sign": spki}),
        "another request": ({"sign": csr}, {}),
        "keys swapped": ({}, {"sign": spkis["auth"], "auth": spkis["sign"]}),
        "one key twice": ({"sign": csrs["auth"]}, {"sign": spkis["auth"]}),
        "a signature changed": ({"sign": b64(bytes(flipped))}, {}),
        "a request cut": ({"sign": b64(bytes(flipped[:40]))}, {}),
        "more after it": ({"sign": b64(base64url.decode(csrs["sign"]) + b"\0")}, {}),
        "another use": ({"single": csr}, {"single": spki}),
        "no key": ({}, {"sign": None}),
        "no bytes": ({"sign": "?"}, {}),
        "not a key": ({}, {"sign": "AAAA"}),
    }
    new_csrs, new_spkis = changes[how]
    return answer | {"csrs": csrs | new_csrs, "spkis": spkis | new_spkis}


BENT = [
    "another key",
    "another request",
    "keys swapped",
    "one key twice",
    "a signature changed",
    "a request cut",
    "more after it",
    "another use",
    "no key",
    "no bytes",
    "not a key",
]
