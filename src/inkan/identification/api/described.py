"""What the OpenAPI document of the RP API says besides types: examples, links from call to call, refusals."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from inkan.crypto.dpop import DPoPProofRefused
from inkan.kernel.errors import InkanError
from inkan.relying_parties import SystemSuspended, TokenRefused
from inkan.web.principal import RoleMissing
from inkan.web.replay import ProofReplayed, ReplayMemoryFull
from inkan.web.routes import Link
from inkan.wire.binding import Door

AUTHENTICATION: Final[tuple[type[InkanError], ...]] = (
    TokenRefused,
    DPoPProofRefused,
    ProofReplayed,
    ReplayMemoryFull,
    SystemSuspended,
    RoleMissing,
)
"""What the authenticator of systems refuses with."""

SECURITY: Final[Mapping[str, Mapping[str, Any]]] = {
    "dpop": {
        "type": "http",
        "scheme": "DPoP",
        "description": (
            "Authorization: DPoP <access token of POST /token>, and in the header DPoP a proof of the key that the "
            "token is bound to (RFC 9449), made for this very request and used once."
        ),
    }
}

DESCRIPTION: Final = (
    "A session is opened, followed and read by the same object, whatever way leads to the phone. What a person does "
    "is data (200); only faults of a call are problems (RFC 9457), each with the address of its entry in the "
    "catalogue as `help`. Times are RFC 3339 in UTC."
)

_ID: Final = "ses_6vq3vb3m2c7g4kq1h8d0y5tzja"
SESSION: Final[dict[str, Any]] = {
    "id": _ID,
    "kind": "identify",
    "purpose": "login",
    "state": "presented",
    "outcome": None,
    "reason": None,
    "next": {"action": "wait", "retry_after_ms": 1000},
    "door": None,
    "binding": None,
    "subject": None,
    "match": None,
    "young": None,
    "back_end": None,
    "attested": None,
    "created_at": "2026-11-21T22:55:04Z",
    "opened_at": None,
    "decided_at": None,
    "released_at": None,
    "expires_at": "2026-11-21T22:58:04Z",
    "claims": {},
    "purge_at": "2026-11-22T22:58:04Z",
    "status_now": None,
}
CLOSED: Final = SESSION | {
    "state": "closed",
    "outcome": "ok",
    "next": {"action": "none", "retry_after_ms": 0},
    "door": "qr",
    "binding": {"level": "none", "evidence": []},
    "subject": {
        "person_ref": "Qx7k2u0m1Yb3nq8d5w6r4t9e",
        "phone_ref": "b0Wm3v8Zc1Lq6r9sT2yXk4pN",
    },
    "young": False,
    "back_end": "A",
    "attested": False,
    "opened_at": "2026-11-21T22:55:20Z",
    "decided_at": "2026-11-21T22:55:29Z",
    "released_at": "2026-11-21T22:55:29Z",
    "status_now": "valid",
}
CANCELLED: Final = SESSION | {
    "state": "cancelled",
    "next": {"action": "none", "retry_after_ms": 0},
}
QR_DOOR: Final[dict[str, Any]] = {
    "handle": "qr_2m7c4g0k1h8d6vq3vb5y5tzjan",
    "secret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    "origin": "https://wallet.example",
    "t0": "2026-11-21T22:55:04Z",
    "t": 0,
    "generation": 1,
}
PUSH_DOOR: Final[dict[str, Any]] = {"code": "042917", "resend_after_s": 30}
_LINK: Final[dict[str, Any]] = {"url": "https://wallet.example/l#1.lnk_2m7c4g0k1h8d6vq3vb5y5tzjan"}
_PAGE: Final[dict[str, Any]] = {
    "url": "https://inkan.example/identify/lnk_2m7c4g0k1h8d6vq3vb5y5tzjan"
}
REDEMPTION: Final[dict[str, Any]] = {
    "verifier": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    "return_code": "IB8eHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgE",
}
ORDER: Final[dict[str, Any]] = {
    "kind": "identify",
    "purpose": "login",
    "challenge": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    "doors": ["qr"],
}
CREATED: Final = {"session": SESSION, "doors": {"qr": QR_DOOR}}

_MADE: Final = {"id": "$response.body#/session/id"}
_SAME: Final = {"id": "$request.path.id"}


def _links(parameters: Mapping[str, str], **operations: str) -> dict[str, Link]:
    return {
        name: Link(operation=operation, parameters=parameters)
        for name, operation in operations.items()
    }


LINKS_OF_CREATED: Final = _links(
    _MADE,
    read="getSession",
    follow="followSession",
    open_qr="openQRDoor",
    send_push="openPushDoor",
    redeem="redeemSession",
    cancel="cancelSession",
    receipt="getReceipt",
)
LINKS_OF_SESSION: Final = _links(
    _SAME,
    again="getSession",
    redeem="redeemSession",
    cancel="cancelSession",
    receipt="getReceipt",
    evidence="getEvidence",
)
LINKS_OF_DOOR: Final = _links(_SAME, read="getSession", frames="streamQRFrames")
LINKS_OF_CANCELLED: Final = _links(_SAME, read="getSession")
_READ: Final = _links(_SAME, read="getSession", redeem="redeemSession")


class DoorOperation(NamedTuple):
    """How the document calls and explains the making of one door."""

    operation: str
    summary: str
    links: Mapping[str, Link]
    example: Mapping[str, Any]


DOORS: Final[Mapping[Door, DoorOperation]] = {
    Door.QR: DoorOperation(
        "openQRDoor",
        "The handle and secret that the system's back end draws frames with",
        LINKS_OF_DOOR,
        QR_DOOR,
    ),
    Door.PUSH: DoorOperation(
        "openPushDoor",
        "Send the question to the person's phones, or send it again; the code for the page",
        _READ,
        PUSH_DOOR,
    ),
    Door.WEB_LINK: DoorOperation(
        "openWebLinkDoor", "The wallet's address for the browser of the phone", _READ, _LINK
    ),
    Door.REDIRECT: DoorOperation(
        "openRedirectDoor",
        "The address of the page that offers QR, push and open app",
        _READ,
        _PAGE,
    ),
    Door.APP_LINK: DoorOperation(
        "openAppLinkDoor", "The wallet's address for an app on the phone", _READ, _LINK
    ),
}

VERIFY: Final[dict[str, Any]] = {
    "receipt": "eyJhbGciOiJFUzI1NiJ9.e30.AAAA",
    "at": "2027-01-01T00:00:00Z",
}
STATUS: Final[dict[str, Any]] = {
    "at": "2026-11-21T22:55:04Z",
    "scope": "process",
    "since": "2026-11-21T08:00:00Z",
    "windows": [
        {
            "minutes": 5,
            "created": 41,
            "doors": [
                {
                    "door": "qr",
                    "ok": 36,
                    "user": 3,
                    "failed": 1,
                    "cancelled": 0,
                    "failure_rate": 0.027,
                }
            ],
            "create": {"p50_ms": 2.8, "p95_ms": 7.3},
            "release": {"p50_ms": 0.0, "p95_ms": 0.0},
        }
    ],
}
