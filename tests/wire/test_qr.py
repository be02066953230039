"""The rotating frame: its bytes, its seconds, and what is no frame."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import base64url
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Secret
from inkan.wire.qr import (
    Frame,
    QRFrameForged,
    QRFrameMalformed,
    QRFrameStale,
    frame,
    parse_frame,
    qr_key,
    verify_frame,
)
from inkan.wire.wallet_paths import ENROLMENT_PATH, SESSION_PATH
from wire import samples

WALLET = "https://wallet.example.gov.tw"
HANDLE = samples.b64("handle", 16)
KEY = qr_key(Secret(samples.fixed("session secret")))


def scanned(t: int = 100) -> Frame:
    return parse_frame(frame(WALLET, handle=HANDLE, t=t, key=KEY), origin=WALLET)


def test_a_frame_has_the_bytes_of_the_design() -> None:
    # HKDF-SHA-256 (RFC 5869) without salt, one block, spelt out.
    extracted = hmac.digest(bytes(32), samples.fixed("session secret"), hashlib.sha256)
    key = hmac.digest(extracted, b"qr\x01", hashlib.sha256)
    message = b"inkan-qr-v1" + HANDLE.encode() + (258).to_bytes(4, "big")
    mac = hmac.digest(key, message, hashlib.sha256)[:16]
    expected = f"{WALLET}/q#1.{HANDLE}.258.{base64url.encode(mac)}"
    assert frame(WALLET, handle=HANDLE, t=258, key=KEY) == expected
    assert parse_frame(expected, origin=WALLET) == Frame(HANDLE, 258, mac)


def test_the_key_does_not_print() -> None:
    with pytest.raises(TypeError):
        str(KEY)


@pytest.mark.parametrize("age", [-1, 0, 1, 2, 3])
def test_a_frame_is_current_for_these_seconds(age: int) -> None:
    assert verify_frame(scanned(), KEY, t_now=100 + age) == scanned()


@pytest.mark.parametrize("age", [-100, -2, 4, 5, 180])
def test_a_frame_is_stale_otherwise(age: int) -> None:
    with pytest.raises(QRFrameStale):
        verify_frame(scanned(), KEY, t_now=100 + age)


def test_a_forged_frame_learns_nothing_of_the_clock() -> None:
    fresh, stale = scanned(100), scanned(10)
    other = qr_key(Secret(b"another session's secret"))
    for forged in (
        fresh._replace(t=101),
        fresh._replace(handle=HANDLE[::-1]),
        fresh._replace(mac=bytes(16)),
        stale._replace(mac=bytes(16)),
        fresh._replace(mac=fresh.mac[:15]),
    ):
        with pytest.raises(QRFrameForged):
            verify_frame(forged, KEY, t_now=100)
    with pytest.raises(QRFrameForged):
        verify_frame(fresh, other, t_now=100)


def test_a_scanner_for_sessions_takes_no_enrolment_and_the_other_way_round() -> None:
    paths = {SESSION_PATH, ENROLMENT_PATH}
    assert paths == {"q", "e"}
    for path in paths:
        url = frame(WALLET, handle=HANDLE, t=7, key=KEY, path=path)
        assert url.startswith(f"{WALLET}/{path}#1.")
        assert parse_frame(url, origin=WALLET, path=path).t == 7
        (other,) = paths - {path}
        with pytest.raises(QRFrameMalformed):
            parse_frame(url, origin=WALLET, path=other)


MAC = base64url.encode(bytes(16))


@pytest.mark.parametrize(
    "url",
    [
        "",
        WALLET,
        f"{WALLET}/q",
        f"{WALLET}/q#",
        f"{WALLET}/q#2.{HANDLE}.1.{MAC}",
        f"{WALLET}/q#1.{HANDLE}.1.{MAC}\n",
        f" {WALLET}/q#1.{HANDLE}.1.{MAC}",
        f"{WALLET}/q#1.{HANDLE}.01.{MAC}",
        f"{WALLET}/q#1.{HANDLE}.+1.{MAC}",
        f"{WALLET}/q#1.{HANDLE}.-1.{MAC}",
        f"{WALLET}/q#1.{HANDLE}.١.{MAC}",
        f"{WALLET}/q#1.{HANDLE}.4294967296.{MAC}",
        f"{WALLET}/q#1.{HANDLE}.1.{MAC}=",
        f"{WALLET}/q#1.{HANDLE}.1.{MAC[:-1]}B",
        f"{WALLET}/q#1.{HANDLE}.1.{MAC[:-1]}",
        f"{WALLET}/q#1.{HANDLE}.1.{MAC}.x",
        f"{WALLET}/q#1.short.1.{MAC}",
        f"{WALLET}/q#1.{'h' * 65}.1.{MAC}",
        f"{WALLET}/q?1.{HANDLE}.1.{MAC}",
        f"{WALLET}/Q#1.{HANDLE}.1.{MAC}",
        f"{WALLET}.evil.tw/q#1.{HANDLE}.1.{MAC}",
        f"http://wallet.example.gov.tw/q#1.{HANDLE}.1.{MAC}",
        f"{WALLET}/q#1.{HANDLE}.{1:0512}.{MAC}",
    ],
)
def test_what_is_no_frame(url: str) -> None:
    with pytest.raises(QRFrameMalformed):
        parse_frame(url, origin=WALLET)


@pytest.mark.parametrize(
    ("handle", "t"), [("short", 1), (HANDLE + ".", 1), (HANDLE, -1), (HANDLE, 2**32)]
)
def test_no_frame_is_drawn_outside_the_format(handle: str, t: int) -> None:
    with pytest.raises(QRFrameMalformed):
        frame(WALLET, handle=handle, t=t, key=KEY)


@given(st.integers(0, 2**32 - 1), st.from_regex(r"[A-Za-z0-9_-]{16,64}", fullmatch=True))
def test_frames_are_read_as_they_are_drawn(t: int, handle: str) -> None:
    read = parse_frame(frame(WALLET, handle=handle, t=t, key=KEY), origin=WALLET)
    assert (read.handle, read.t) == (handle, t)
    assert verify_frame(read, KEY, t_now=t)


@given(
    st.text(max_size=80)
    | st.text(alphabet="1.0Aqg_-", max_size=80).map(lambda tail: f"{WALLET}/q#{tail}")
)
def test_only_refusals_come_out(url: str) -> None:
    try:
        read = parse_frame(url, origin=WALLET)
    except InkanError:
        return
    assert f"{WALLET}/q#1.{read.handle}.{read.t}.{base64url.encode(read.mac)}" == url
