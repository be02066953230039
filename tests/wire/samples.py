"""One valid document of each format, with members to change; deterministic, so that vectors are made of them."""

import hashlib
from typing import Any

from inkan.crypto import base64url
from inkan.wire.audit_log import DECISION, Actor, ActorKind, Event, HeadPayload
from inkan.wire.binding import BackEnd, BindingLevel, Evidence, StatementDoor
from inkan.wire.conformance_report import ConformanceItem, ConformanceReport
from inkan.wire.contents import Content, ContentFormat, DigestAlgorithm
from inkan.wire.enrolment_request import (
    BindContent,
    KeyUse,
    RenewContent,
    RequestedKey,
    RevokeCause,
    RevokeContent,
)
from inkan.wire.evidence import (
    Assertion,
    EvidenceBundle,
    Inclusion,
    PlatformWord,
    Revocation,
    Salts,
)
from inkan.wire.reasons import Reason
from inkan.wire.receipt import Binding, Commitments, KeyBackEnd, Receipt, Subject
from inkan.wire.session import EvidenceMode, Kind, Outcome, SessionState
from inkan.wire.shown import Language, Template
from inkan.wire.statement import Draft, RelyingPartyView, Shown, Statement
from inkan.wire.use_proof import LoggedDetails, UsedRecord, UseProof
from inkan.wire.webhook import Webhook

AT = "2026-11-21T22:55:04Z"
ISSUER = "https://id.example.gov.tw"
TAX_OFFICE = RelyingPartyView(
    id="rp_tttttttttttttttttttttttttt", name="財政部國稅局", domain="tax.example.gov.tw"
)


def fixed(label: str, size: int = 32) -> bytes:
    """Bytes that look random and are the same in every run."""
    return hashlib.shake_256(f"inkan vector: {label}".encode()).digest(size)


def b64(label: str, size: int = 32) -> str:
    return base64url.encode(fixed(label, size))


def content(**changes: Any) -> Content:
    members = {
        "id": "doc_dddddddddddddddddddddddddd",
        "name": "113 年度所得稅申報書.pdf",
        "digest": b64("document"),
        "alg": DigestAlgorithm.SHA_256,
        "format": ContentFormat.PADES,
        "tbs_sha256": b64("signed attributes"),
    }
    return Content(**members | changes)


def noted(**changes: Any) -> Content:
    """A content that the statement itself answers."""
    return content(**{"format": ContentFormat.STATEMENT, "tbs_sha256": None} | changes)


def draft_members() -> dict[str, Any]:
    return {
        "v": 1,
        "iss": ISSUER,
        "kind": Kind.IDENTIFY,
        "decision": "approve",
        "session": "ses_ssssssssssssssssssssssssss",
        "system": "sys_yyyyyyyyyyyyyyyyyyyyyyyyyy",
        "relying_party": TAX_OFFICE,
        "purpose": "login",
        "shown": Shown(
            template=Template.IDENTIFY_V1, lang=Language.ZH_HANT, text_sha256=b64("text")
        ),
        "claims": (),
        "challenge": b64("challenge"),
        "contents": (),
        "door": StatementDoor.QR,
        "return_origin": None,
        "cert_sha256": b64("certificate"),
        "cred_sha256": b64("credential"),
        "server_nonce": b64("server nonce"),
        "at": AT,
    }


def draft(**changes: Any) -> Draft:
    return Draft(**draft_members() | changes)


def statement(**changes: Any) -> Statement:
    return Statement(**draft_members() | {"phone_nonce": b64("phone nonce")} | changes)


def sign_members() -> dict[str, Any]:
    """What turns the sample into a statement of kind sign."""
    shown = Shown(template=Template.SIGN_V1, lang=Language.ZH_HANT, text_sha256=b64("text"))
    return {"kind": Kind.SIGN, "shown": shown, "contents": (content(),), "purpose": "file_document"}


def keys() -> tuple[RequestedKey, ...]:
    return tuple(RequestedKey(use=use, spki_sha256=b64(use)) for use in (KeyUse.AUTH, KeyUse.SIGN))


def bind(**changes: Any) -> BindContent:
    members = {
        "v": 1,
        "purpose": "bind",
        "aud": ISSUER,
        "scheme": "tw-citizen",
        "nonce": b64("bind nonce"),
        "keys": keys(),
        "credential_id_sha256": b64("credential id"),
        "cose_key_sha256": b64("cose key"),
        "channel_jkt": b64("channel key"),
        "rp_id": "wallet.example.gov.tw",
        "back_end": BackEnd.A,
        "attestation_sha256": None,
        "scope": (),
        "terms_version": "2026-10",
        "phone_name": "陳小姐的手機",
        "at": AT,
    }
    return BindContent(**members | changes)


def renew(**changes: Any) -> RenewContent:
    members = {
        "v": 1,
        "purpose": "renew",
        "aud": ISSUER,
        "scheme": "tw-citizen",
        "nonce": b64("renew nonce"),
        "binding_id": "bnd_bbbbbbbbbbbbbbbbbbbbbbbbbb",
        "old_certificate_sha256": b64("certificate"),
        "keys": keys(),
        "credential_id_sha256": b64("credential id"),
        "back_end": BackEnd.A,
        "at": AT,
    }
    return RenewContent(**members | changes)


def revoke(**changes: Any) -> RevokeContent:
    members = {
        "v": 1,
        "purpose": "revoke",
        "aud": ISSUER,
        "scheme": "tw-citizen",
        "nonce": b64("revoke nonce"),
        "bindings": ("bnd_bbbbbbbbbbbbbbbbbbbbbbbbbb",),
        "cause": RevokeCause.LOST,
        "at": AT,
    }
    return RevokeContent(**members | changes)


def receipt(**changes: Any) -> Receipt:
    members = {
        "v": 1,
        "iss": ISSUER,
        "session": "ses_ssssssssssssssssssssssssss",
        "kind": Kind.IDENTIFY,
        "system": "sys_yyyyyyyyyyyyyyyyyyyyyyyyyy",
        "relying_party": TAX_OFFICE,
        "purpose": "login",
        "outcome": Outcome.OK,
        "reason": None,
        "subject": Subject(person_ref=b64("person")),
        "claims": {},
        "challenge": b64("challenge"),
        "contents": (),
        "door": StatementDoor.QR,
        "binding": Binding(level=BindingLevel.NONE, evidence=(Evidence.BROWSER_BOUND,)),
        "young": False,
        "back_end": KeyBackEnd(kind=BackEnd.A, attested=False, synced=True),
        "single_key": False,
        "user_verification": "undisclosed",
        "evidence": EvidenceMode.PLATFORM,
        "commitments": Commitments(
            statement=b64("commitment 1"),
            certificate=b64("commitment 2"),
            assertion=b64("commitment 3"),
        ),
        "decided_at": AT,
        "released_at": "2026-11-21T22:55:05Z",
        "status_at": "2026-11-21T22:55:05Z",
    }
    return Receipt(**members | changes)


def refused_receipt(**changes: Any) -> Receipt:
    members = {
        "outcome": Outcome.REFUSED,
        "reason": Reason.USER_REFUSED,
        "subject": None,
        "binding": Binding(level=BindingLevel.NONE, evidence=()),
        "young": None,
        "back_end": None,
        "single_key": None,
        "user_verification": None,
        "commitments": None,
        "status_at": None,
    }
    return receipt(**members | changes)


def event(**changes: Any) -> Event:
    members = {
        "v": 1,
        "id": "ev_abcdefghijklmnopabcdefghij",
        "at": 1795301704000000,
        "use_case": DECISION,
        "actor": Actor(ActorKind.PHONE, "phn_1"),
        "subject": "ps_1",
        "object": "ses_1",
        "details": b64("details"),
    }
    return Event(**members | changes)


def head(**changes: Any) -> HeadPayload:
    members = {
        "v": 1,
        "number": 7,
        "size": 8,
        "root": b64("root"),
        "at": AT,
        "previous": b64("head 6"),
    }
    return HeadPayload(**members | changes)


def use_proof(**changes: Any) -> UseProof:
    members = {
        "v": 1,
        "record": UsedRecord(
            id="use_1",
            at=AT,
            session="ses_1",
            relying_party="王記銀行",
            domain="bank.example",
            outcome=Outcome.OK,
            reason=None,
        ),
        "details": LoggedDetails(
            outcome=Outcome.OK,
            reason=None,
            receipt_sha256=b64("receipt"),
            statement_sha256=b64("statement"),
        ),
        "salt": base64url.encode(b"s" * 16),
        "event": base64url.encode(b"{}"),
        "index": 3,
        "tree_size": 8,
        "path": (b64("a"), b64("b")),
        "head_jws": "eyJ9.eyJ9.c2ln",
    }
    return UseProof(**members | changes)


def report(**changes: Any) -> ConformanceReport:
    members = {
        "system": "tax-office",
        "kit_version": "1.0",
        "passed": False,
        "at": AT,
        "items": (
            ConformanceItem(id="stale_frame", passed=True),
            ConformanceItem(id="replayed_return_code", passed=False, detail="a code worked twice"),
        ),
    }
    return ConformanceReport(**members | changes)


def bundle(**changes: Any) -> EvidenceBundle:
    members = {
        "v": 1,
        "receipt": "aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl",
        "statement_jws": "aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl",
        "assertion": Assertion(
            credential_id=b64("credential id", 16),
            client_data_json=b64("client data", 100),
            authenticator_data=b64("authenticator data", 37),
            signature=b64("assertion signature", 70),
        ),
        "cose_key": b64("cose key", 77),
        "certificates": (b64("phone certificate", 900), b64("issuing certificate", 700)),
        "salts": Salts(statement=b64("salt 1"), certificate=b64("salt 2"), assertion=b64("salt 3")),
        "revocation": Revocation(ocsp=(b64("ocsp response", 500),), crls=(b64("crl", 400),)),
        "inclusion": Inclusion(
            index=5,
            tree_size=8,
            path=(b64("node 1"), b64("node 2"), b64("node 3")),
            head_jws="aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl",
            event=b64("event", 300),
            salt=b64("event salt", 16),
        ),
        "timestamp": None,
        "platform_words": (PlatformWord.SUBJECT, PlatformWord.TIMES),
    }
    return EvidenceBundle(**members | changes)


def webhook(**changes: Any) -> Webhook:
    members = {
        "v": 1,
        "id": "whd_1",
        "session": "ses_1",
        "state": SessionState.CLOSED,
        "at": AT,
    }
    return Webhook(**members | changes)
