"""Ceremonies for tests: one challenge, one phone's record, and what each check refuses."""

import hashlib

import cbor2

from inkan.crypto.ceremony import Check
from inkan.crypto.webauthn import (
    KnownCredential,
    RegistrationPolicy,
    verify_assertion,
    verify_registration,
)
from support.authenticator import BE, BS, UP, UV, Authenticator

CHALLENGE = hashlib.sha256(b"a statement").digest()
OTHER = hashlib.sha256(b"another statement").digest()
ORIGIN = "https://wallet.localhost"
RP_ID = "wallet.localhost"
KEY = Authenticator().key
GOOD = Authenticator(key=KEY).answer(CHALLENGE)
EXTENSIONS = cbor2.dumps({"hmac-secret": b"x" * 32}, canonical=True)


def register(response: bytes, **policy):
    return verify_registration(
        response,
        challenge=CHALLENGE,
        origins=[ORIGIN],
        rp_id=RP_ID,
        policy=RegistrationPolicy(**policy),
    )


def check(phone, assertion, *, require_uv=True, **known):
    record = {
        "id": phone.credential_id,
        "cose_key": phone.cose_key,
        "backup_eligible": False,
        "sign_count": 0,
    }
    return verify_assertion(
        assertion,
        known=KnownCredential(**record | known),
        challenge=CHALLENGE,
        origin=ORIGIN,
        rp_id=RP_ID,
        require_uv=require_uv,
    )


REFUSED_ASSERTIONS = {
    Check.TYPE: {"kind": "webauthn.create"},
    Check.ORIGIN: {"origin": "https://wallet.localhost.evil.example"},
    Check.CROSS_ORIGIN: {"extra": {"crossOrigin": True}},
    Check.TOP_ORIGIN: {"extra": {"topOrigin": ORIGIN}},
    Check.RP_ID: {"rp_id": "localhost"},
    Check.USER_PRESENT: {"flags": UV},
    Check.USER_VERIFIED: {"flags": UP},
    Check.BACKUP_FLAGS: {"flags": UP | UV | BS},
    Check.BACKUP_ELIGIBILITY: {"flags": UP | UV | BE},
    Check.CREDENTIAL_ID: {"credential_id": b"another credential"},
    Check.USER_HANDLE: {"user_handle": b"somebody else"},
}


REFUSED_REGISTRATIONS = {
    Check.TYPE: {"kind": "webauthn.get"},
    Check.ORIGIN: {"origin": "https://evil.example"},
    Check.CROSS_ORIGIN: {"extra": {"crossOrigin": True}},
    Check.TOP_ORIGIN: {"extra": {"topOrigin": "https://evil.example"}},
    Check.RP_ID: {"rp_id": "evil.example"},
    Check.USER_PRESENT: {"flags": UV},
    Check.USER_VERIFIED: {"flags": UP},
    Check.BACKUP_FLAGS: {"flags": UP | UV | BS},
    Check.CREDENTIAL_ID: {"raw_id": b"another credential"},
    Check.CREDENTIAL_DATA: {"data": Authenticator(key=KEY).authenticator_data()},
}
