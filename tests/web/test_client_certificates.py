"""``Client-Cert`` (RFC 9440): whose it is believed, and in which form."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.web.client_certificates import (
    CertificateHeaderWrong,
    CertificateProxies,
    client_certificate,
)
from inkan.web.exchange import Exchange
from inkan.web.request import HeaderRepeated


def exchange(*values: bytes, address: str = "127.0.0.1") -> Exchange:
    scope = {
        "method": "GET",
        "path": "/",
        "headers": [(b"client-cert", value) for value in values],
        "client": (address, 1),
    }
    return Exchange(scope, None, None)


def sent(data: bytes) -> bytes:
    return b":" + base64.b64encode(data) + b":"


def test_a_believed_proxy_is_read():
    asked = exchange(sent(b"abc"))
    CertificateProxies(["127.0.0.1"]).screen(asked)
    assert client_certificate(asked) == b"abc"


@pytest.mark.parametrize("networks", [[], ["10.0.0.0/8", "::1"]])
def test_from_everybody_else_it_was_never_sent(networks):
    for asked in (exchange(sent(b"abc")), exchange(sent(b"abc"), sent(b"abd"))):
        CertificateProxies(networks).screen(asked)
        assert client_certificate(asked) is None
        assert asked.scope["headers"] == []


def test_a_network_and_an_address_that_is_none():
    proxies = CertificateProxies(["10.0.0.0/8"])
    for address, believed in (("10.9.9.9", True), ("11.0.0.1", False), ("unix", False)):
        asked = exchange(sent(b"abc"), address=address)
        proxies.screen(asked)
        assert (client_certificate(asked) is not None) == believed


def test_a_network_that_is_none():
    with pytest.raises(ValueError, match="does not appear"):
        CertificateProxies(["proxy.example"])


def test_two_of_them():
    asked = exchange(sent(b"abc"), sent(b"abd"))
    CertificateProxies(["127.0.0.1"]).screen(asked)
    with pytest.raises(HeaderRepeated):
        client_certificate(asked)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(value):
    with suppress(CertificateHeaderWrong):
        assert client_certificate(exchange(value))


@given(st.binary(min_size=1, max_size=200))
def test_any_byte_sequence_is_read(data):
    assert client_certificate(exchange(sent(data))) == data
