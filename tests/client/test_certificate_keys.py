"""Certificate keys at rest: wrapped, tied to their public half, and found by the same search when they are not."""

import base64
import json

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from inkan.client.certificate_keys import (
    KeyNotUnwrapped,
    WrappedKey,
    certificate_request,
    unwrap,
    wrap,
)
from inkan.crypto import keys
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.crypto.keys import KeySpec
from inkan.kernel.sensitive import Secret
from support.keyring import ec_key, rsa_key

PRF = Secret(bytes(range(32)))
MADE = {"RSA-2048": rsa_key, "P-256": ec_key}


def traces(key) -> list[bytes]:
    """What would give a private key away."""
    pkcs8 = keys.private_der(key).reveal()
    numbers = key.private_numbers()
    if isinstance(key, RSAPrivateKey):
        size = key.key_size // 8
        secrets = [numbers.d.to_bytes(size), numbers.p.to_bytes(size // 2)]
    else:
        secrets = [numbers.private_value.to_bytes(32)]
    return [pkcs8, *secrets]


def holds(content: bytes, sought: list[bytes]) -> bool:
    """Whether any trace stands in a JSON text: raw, as hexadecimal, or inside a base64 string."""
    texts = [text for text in _strings(json.loads(content)) if text]
    spellings = [content, *map(_decoded, texts), *map(_unhexed, texts)]
    return any(trace in spelling for trace in sought for spelling in spellings)


def _strings(value) -> list[str]:
    if isinstance(value, dict):
        return [text for member in value.values() for text in _strings(member)]
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    return [value] if isinstance(value, str) else []


def _decoded(text: str) -> bytes:
    padded = text + "=" * (-len(text) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_" if {"-", "_"} & set(text) else None)
    except ValueError:
        return b""


def _unhexed(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


@pytest.mark.req("TW-26")
@pytest.mark.parametrize("kind", MADE)
def test_a_key_at_rest_shows_nothing_of_itself(kind):
    key = MADE[kind]()
    at_rest = msgspec.json.encode({"keys": {"auth": wrap(key, PRF)}})
    assert not holds(at_rest, traces(key))
    # The control: the same search finds a key that lies there unwrapped, in each spelling.
    for trace in traces(key):
        assert holds(msgspec.json.encode({"keys": [trace]}), traces(key))
        assert holds(json.dumps({"keys": {"hex": trace.hex()}}).encode(), traces(key))


@pytest.mark.req("TW-52")
@pytest.mark.parametrize("kind", MADE)
def test_a_key_comes_back_under_the_same_prf_only(kind):
    key = MADE[kind]()
    wrapped = wrap(key, PRF)
    assert wrapped.spki == keys.spki_der(key.public_key())
    assert wrapped.spki_sha256 == keys.spki_sha256(key.public_key())
    again = unwrap(wrapped, PRF)
    assert keys.private_der(again) == keys.private_der(key)
    with pytest.raises(KeyNotUnwrapped):
        unwrap(wrapped, Secret(bytes(32)))


@pytest.mark.parametrize("member", ["spki", "nonce", "wrapped"])
def test_changed_bytes_do_not_open(member):
    wrapped = wrap(ec_key(), PRF)
    changed = bytearray(getattr(wrapped, member))
    changed[-1] ^= 1
    with pytest.raises(KeyNotUnwrapped):
        unwrap(msgspec.structs.replace(wrapped, **{member: bytes(changed)}), PRF)


def test_a_wrapped_key_does_not_pass_for_another():
    """The SPKI is under the seal: a swapped public half does not open."""
    first, second = wrap(ec_key(1), PRF), wrap(ec_key(2), PRF)
    swapped = WrappedKey(spki=second.spki, nonce=first.nonce, wrapped=first.wrapped)
    with pytest.raises(KeyNotUnwrapped):
        unwrap(swapped, PRF)


def test_no_nonce_is_used_twice():
    assert len({wrap(ec_key(), PRF).nonce for _ in range(64)}) == 64


@pytest.mark.parametrize("kind", MADE)
def test_a_request_proves_the_key_and_names_nobody(kind):
    from cryptography import x509

    key = MADE[kind]()
    der = certificate_request(key)
    assert verify_csr(parse_csr(der)).spki == keys.spki_der(key.public_key())
    assert x509.load_der_x509_csr(der).subject.rdns == []


def test_the_kinds_tried_are_those_of_the_schemes():
    assert set(MADE) <= {str(spec) for spec in KeySpec}
