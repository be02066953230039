"""A certificate in a file: three forms, one meaning, and a hash that no trick can move to another certificate."""

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto.certificate_file import (
    DER_LIMIT,
    FILE_LIMIT,
    CertificateFileTooLarge,
    CertificateFileUnreadable,
    pem,
    read_certificate_file,
)
from inkan.kernel.errors import InkanError
from support.pki import Hierarchy

DER = Hierarchy().leaf.der
OTHER = Hierarchy().root.der
BARE = base64.encodebytes(DER)


@pytest.mark.parametrize(
    "data",
    [
        DER,
        pem(DER).encode(),
        pem(DER).replace("\n", "\r\n").encode(),
        b"subject=CN = somebody\n" + pem(DER).encode() + b"after\n",
        pem(DER).replace("CERTIFICATE", "X509 CERTIFICATE").encode(),
        BARE,
        b"  " + BARE.replace(b"\n", b"") + b"\n",
    ],
    ids=["der", "pem", "crlf", "text around", "old label", "base64", "one line"],
)
def test_every_form_is_the_same_certificate(data: bytes) -> None:
    found = read_certificate_file(data)
    assert (found.der, found.count) == (DER, 1)


def test_of_several_the_first_is_read_and_all_are_counted() -> None:
    found = read_certificate_file((pem(DER) + pem(OTHER)).encode())
    assert (found.der, found.count) == (DER, 2)


def test_a_certificate_that_carries_the_text_of_another_is_itself() -> None:
    carrier = b"\x30\x82\x10\x00" + pem(OTHER).encode()
    assert read_certificate_file(carrier).der == carrier


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\nMII=A\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----",
        b"\x89PNG\r\n",
    ],
)
def test_anything_else_is_no_certificate(data: bytes) -> None:
    with pytest.raises(CertificateFileUnreadable):
        read_certificate_file(data)


def test_too_large_is_said_before_anything_is_read() -> None:
    with pytest.raises(CertificateFileTooLarge):
        read_certificate_file(pem(DER).encode() + b" " * FILE_LIMIT)
    with pytest.raises(CertificateFileTooLarge):
        read_certificate_file(b"\x30\x82" + bytes(DER_LIMIT))


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_certificate_or_a_refusal(data: bytes) -> None:
    with contextlib.suppress(InkanError):
        assert read_certificate_file(data).der[0] == 0x30
