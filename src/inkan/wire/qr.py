"""The rotating QR frame: ``{wallet origin}/{path}#1.{handle}.{t}.{mac}``.

A frame lives for seconds, so that a screenshot or a forwarded picture is worth nothing (threat 1). It stands
in the fragment of an https address: a native camera opens the wallet without sending the frame to any
server. The relying party's back end may draw frames itself; the key never reaches a browser. The same frame
under another path lets a phone join an enrolment.
"""

import hmac
import re
import struct
from typing import Final, NamedTuple

from inkan.crypto import base64url
from inkan.crypto.aead import hkdf, hmac_sha256
from inkan.kernel.errors import Conflict, Forbidden, Malformed
from inkan.kernel.sensitive import Secret
from inkan.wire.wallet_paths import SESSION_PATH

FRAME_SECONDS: Final = 1
MAX_AGE_SECONDS: Final = 3
MAX_AHEAD_SECONDS: Final = 1
MAC_SIZE: Final = 16
_MAX_T: Final = 2**32 - 1
_LABEL: Final = b"inkan-qr-v1"
_HANDLE = re.compile(r"[A-Za-z0-9_-]{16,64}")
_FRAME = re.compile(
    r"1\.(?P<handle>[A-Za-z0-9_-]{16,64})\.(?P<t>0|[1-9][0-9]{0,9})\.(?P<mac>[A-Za-z0-9_-]{21}[AQgw])"
)


class QRFrameMalformed(Malformed):
    """Not a frame of this platform."""

    code = "qr_frame_malformed"
    title = "This QR code does not belong to this service"


class QRFrameForged(Forbidden):
    """The frame's MAC was not made with the session's key."""

    code = "qr_frame_forged"
    title = "This QR code was not made by this service"


class QRFrameStale(Conflict):
    """The frame is older than 3 s or more than 1 s ahead. Nothing is consumed; the scanner goes on."""

    code = "qr_frame_stale"
    title = "This QR code is no longer current"


class Frame(NamedTuple):
    """What a scanned frame says; nothing of it is verified yet.

    Attributes:
        handle: finds the session.
        t: seconds since ``qr.t0`` by the platform's clock.
        mac: 16 bytes.
    """

    handle: str
    t: int
    mac: bytes


def qr_key(session_secret: Secret[bytes]) -> Secret[bytes]:
    """Return the 32-byte frame key: HKDF-SHA-256 of the session secret, no salt, info ``qr``."""
    return hkdf(session_secret, b"qr")


def frame(origin: str, *, handle: str, t: int, key: Secret[bytes], path: str = SESSION_PATH) -> str:
    """Return the frame that is valid around second ``t``.

    Args:
        origin: the wallet's web origin, without a trailing slash.
        handle: 16 to 64 characters of base64url.
        t: whole seconds since ``qr.t0``, below 2^32.
        key: of :func:`qr_key`.
        path: what the frame opens: one of :mod:`inkan.wire.wallet_paths`.

    Raises:
        QRFrameMalformed: a handle or a time outside the format.
    """
    if _HANDLE.fullmatch(handle) is None or not 0 <= t <= _MAX_T:
        raise QRFrameMalformed(where="", expected="a handle of 16 to 64 letters and t below 2^32")
    return f"{origin}/{path}#1.{handle}.{t}.{base64url.encode(_mac(handle, t, key))}"


def parse_frame(url: str, *, origin: str, path: str = SESSION_PATH) -> Frame:
    """Return what the frame says, without verifying it.

    Raises:
        QRFrameMalformed: another origin, path or version, or a second spelling of a member.
    """
    prefix = f"{origin}/{path}#"
    if not url.startswith(prefix):
        raise QRFrameMalformed(where="", expected="an address of the wallet")
    found = _FRAME.fullmatch(url, len(prefix))
    if found is None or int(found["t"]) > _MAX_T:
        raise QRFrameMalformed(where="", expected="1.{handle}.{t}.{mac}")
    return Frame(found["handle"], int(found["t"]), base64url.decode(found["mac"]))


def verify_frame(scanned: Frame, key: Secret[bytes], *, t_now: int) -> Frame:
    """Return the frame if the session's key made it and it is current at ``t_now``.

    1. The MAC, in constant time: who does not hold the key learns nothing of the clock.
    2. The age when the request arrived: −1 ≤ now − t ≤ 3 seconds.

    Raises:
        QRFrameForged: another MAC.
        QRFrameStale: too old, or too far ahead.
    """
    if not hmac.compare_digest(scanned.mac, _mac(scanned.handle, scanned.t, key)):  # 1
        raise QRFrameForged
    if not -MAX_AHEAD_SECONDS <= t_now - scanned.t <= MAX_AGE_SECONDS:  # 2
        raise QRFrameStale
    return scanned


def _mac(handle: str, t: int, key: Secret[bytes]) -> bytes:
    message = _LABEL + handle.encode("ascii") + struct.pack(">I", t)
    return hmac_sha256(key, message)[:MAC_SIZE]
