"""The golden vectors of each format: what comes out of fixed inputs, and what is refused.

They are made for other implementations too (the wallet's JavaScript): every row holds all inputs and all
outputs as texts. ``tests/vectors/rebuild.py`` writes them to files.
"""

import hashlib
import json
from collections.abc import Callable

import msgspec

from inkan.crypto import base64url, jcs, merkle
from inkan.wire import audit_log, enrolment_request, evidence, receipt, shown, statement
from inkan.wire.binding import BindingLevel, Evidence, StatementDoor
from inkan.wire.claims import Claim
from inkan.wire.contents import DigestAlgorithm
from inkan.wire.enrolment_request import KeyUse, Purpose, RequestedKey
from inkan.wire.reasons import Reason
from inkan.wire.session import EvidenceMode, Kind, Outcome
from inkan.wire.shown import Language, Template
from wire import negatives, proofs, samples
from wire.golden_conformance import report_vectors
from wire.golden_doors import binding_vectors, link_vectors, qr_vectors
from wire.golden_webhook import webhook_vectors
from wire.negatives import Row, changed, negative, no_documents, refused, spellings

WALLET = "https://wallet.example.gov.tw"
PHONE_NONCE = samples.fixed("phone nonce")


def statement_vectors() -> Row:
    second = samples.noted(
        id="doc_b",
        name="附件 “1” \\ \U0002000b",
        alg=DigestAlgorithm.SHA_512,
        digest=samples.b64("second document", 64),
    )
    changes = samples.sign_members() | {
        "claims": ("name", "birthdate"),
        "door": StatementDoor.REDIRECT_OPEN,
        "return_origin": "https://tax.example.gov.tw",
        "contents": (samples.content(), second),
    }
    differences = {
        "door": {"door": "push"},
        "relying_party": {
            "relying_party": msgspec.to_builtins(samples.TAX_OFFICE) | {"name": "財政部"}
        },
        "challenge": {"challenge": samples.b64("other")},
    }
    good = samples.statement()
    return {
        "about": "draft, phone_nonce, text_sha256 -> statement -> challenge and JWS (ES256)",
        "keys": {"certificate_key": proofs.public_jwk(proofs.CERTIFICATE_KEY)},
        "valid": [
            _statement_row("identify by QR", samples.draft()),
            _statement_row("sign two documents after a redirect", samples.draft(**changes)),
        ],
        "difference": [
            {
                "draft": changed(samples.draft()),
                "statement": changed(good, **change),
                "member": name,
            }
            for name, change in differences.items()
        ],
        "invalid": [
            *spellings(good),
            *no_documents("statement_malformed"),
            *refused(good, "statement_malformed", negatives.STATEMENT),
        ],
    }


def _statement_row(name: str, draft: statement.Draft) -> Row:
    text_sha256 = draft.shown.text_sha256
    data = statement.statement_bytes(draft, phone_nonce=PHONE_NONCE, text_sha256=text_sha256)
    header = {"typ": statement.STATEMENT_TYP, "x5t#S256": draft.cert_sha256}
    return {
        "name": name,
        "draft": statement.draft_bytes(draft).decode(),
        "phone_nonce": base64url.encode(PHONE_NONCE),
        "text_sha256": text_sha256,
        "statement": data.decode(),
        "challenge": base64url.encode(statement.statement_challenge(data)),
        "jws": proofs.compact_jws(data, proofs.CERTIFICATE_KEY, **header),
    }


SHOWN: Row = {
    "relying_party": "財政部國稅局",
    "domain": "tax.example.gov.tw",
    "purpose_text": "申報綜合所得稅",
    "door": StatementDoor.QR,
    "contents": (),
    "claims": (),
    "full_evidence": False,
}


def shown_vectors() -> Row:
    contents = (samples.content(), samples.noted(id="b", name="附件.pdf"))
    pushed, redirected = StatementDoor.PUSH, StatementDoor.REDIRECT_OPEN
    variants: list[tuple[Template, Row]] = [
        (Template.IDENTIFY_V1, {}),
        (
            Template.IDENTIFY_V1,
            {"door": pushed, "full_evidence": True, "claims": ("birth_date", "address")},
        ),
        (Template.IDENTIFY_V1, {"claims": ("age_over_18",)}),
        (Template.IDENTIFY_V1, {"claims": tuple(Claim)}),
        (Template.APPROVE_V1, {"door": StatementDoor.APP_LINK}),
        (
            Template.APPROVE_V1,
            {"door": StatementDoor.REDIRECT_PUSH, "contents": contents[1:]},
        ),
        (
            Template.SIGN_V1,
            {"door": redirected, "full_evidence": True, "contents": contents},
        ),
        *((Template.IDENTIFY_V1, {"door": door}) for door in StatementDoor),
    ]
    unsafe, impossible = "unsafe_text", "shown_impossible"
    full = {"full_evidence": True}
    wrong: list[tuple[str, Template, Row, str]] = [
        ("a line break", Template.IDENTIFY_V1, {"relying_party": "國稅局\n用途：登入"}, unsafe),
        ("an empty purpose", Template.IDENTIFY_V1, {"purpose_text": ""}, unsafe),
        ("a claim without a name", Template.IDENTIFY_V1, {"claims": ("birthdate",)}, impossible),
        ("a name instead of a code", Template.IDENTIFY_V1, {"claims": ("生日",)}, impossible),
        ("contents in an identification", Template.IDENTIFY_V1, {"contents": contents}, impossible),
        ("a signature without contents", Template.SIGN_V1, full, impossible),
        ("a signature without full evidence", Template.SIGN_V1, {"contents": contents}, impossible),
    ]
    return {
        "about": "arguments -> text (UTF-8, lines ended by LF except the last) -> text_sha256",
        "valid": [_shown_row(*variant, lang) for variant in variants for lang in Language],
        "invalid": [
            {"name": name, **_shown_arguments(template, Language.EN, change), "error": error}
            for name, template, change, error in wrong
        ],
    }


def _shown_arguments(template: Template, lang: Language, change: Row) -> Row:
    return {"template": template, "lang": lang, "arguments": msgspec.to_builtins(SHOWN | change)}


def _shown_row(template: Template, change: Row, lang: Language) -> Row:
    text = shown.render(template, lang, **SHOWN | change)
    sha256 = shown.text_sha256(text)
    return {**_shown_arguments(template, lang, change), "text": text, "text_sha256": sha256}


def enrolment_vectors() -> Row:
    error = "enrolment_content_malformed"
    single = (RequestedKey(use=KeyUse.SINGLE, spki_sha256=samples.b64("single")),)
    binds = {
        "two keys, no attestation": samples.bind(),
        "one key, attestation": samples.bind(
            keys=single, attestation_sha256=samples.b64("attestation"), scope=("outpatient",)
        ),
    }
    renewal, revocation = samples.renew(), samples.revoke()
    challenge = enrolment_request.renew_challenge(enrolment_request.content_bytes(renewal))
    return {
        "about": "content -> eContent bytes, eContentType, pairing digits, renewal challenge",
        "content_types": dict(enrolment_request.CONTENT_TYPES),
        "bind": [
            _content_row(name, each, pairing_digits=enrolment_request.pairing_digits(each))
            for name, each in binds.items()
        ],
        "renew": [
            _content_row("the same slot", renewal, challenge=base64url.encode(challenge)),
        ],
        "revoke": [_content_row("a lost phone", revocation)],
        "invalid": {
            Purpose.BIND: [
                *spellings(samples.bind()),
                *no_documents(error),
                *refused(samples.bind(), error, negatives.BIND),
            ],
            Purpose.RENEW: refused(renewal, error, negatives.RENEW),
            Purpose.REVOKE: refused(revocation, error, negatives.REVOKE),
        },
    }


def _content_row(name: str, content: enrolment_request.EnrolmentContent, **more: str) -> Row:
    return {"name": name, "content": enrolment_request.content_bytes(content).decode(), **more}


def receipt_vectors() -> Row:
    error = "receipt_malformed"
    valid = {
        "identified by QR": samples.receipt(),
        "signed after a redirect": samples.receipt(
            kind=Kind.SIGN,
            purpose="file_document",
            contents=(samples.content(),),
            evidence=EvidenceMode.FULL,
            claims={"name": "王小明", "birthdate": {"level": 3, "value": "2000-01-01"}},
            door=StatementDoor.REDIRECT_OPEN,
            binding=receipt.Binding(level=BindingLevel.RETURNED, evidence=(Evidence.REDEEMED,)),
        ),
        "refused": samples.refused_receipt(),
        "approved, then revoked before release": samples.refused_receipt(
            outcome=Outcome.FAILED, reason=Reason.CERT_REVOKED, status_at=samples.AT
        ),
    }
    return {
        "about": "payload -> compact JWS (ES256)",
        "keys": {"receipt_key": proofs.public_jwk(proofs.RECEIPT_KEY)},
        "valid": [_receipt_row(name, value) for name, value in valid.items()],
        "invalid": [
            *spellings(samples.receipt()),
            *no_documents(error),
            *refused(samples.receipt(), error, negatives.RECEIPT),
            *refused(samples.refused_receipt(), error, negatives.REFUSED_RECEIPT),
        ],
    }


def _receipt_row(name: str, value: receipt.Receipt) -> Row:
    payload = receipt.receipt_bytes(value)
    jws = proofs.compact_jws(payload, proofs.RECEIPT_KEY, typ=receipt.RECEIPT_TYP)
    return {"name": name, "payload": payload.decode(), "jws": jws}


def evidence_vectors() -> Row:
    error = "evidence_malformed"
    built = proofs.identification()
    token = samples.b64("timestamp token", 200)
    other = proofs.identification(timestamp=token, inclusion=None)
    disordered = dict(reversed(msgspec.to_builtins(built).items()))
    doubled = changed(built).replace('"v":1', '"v":1,"v":1')
    return {
        "about": "signatures and commitments are true, under keys and certificates made for this "
        "file; the revocation data and the timestamp are no DER",
        "valid": [
            {"name": "canonical", "utf8": evidence.evidence_bytes(built).decode()},
            {"name": "timestamp only", "utf8": evidence.evidence_bytes(other).decode()},
            {"name": "indented, in another order", "utf8": json.dumps(disordered, indent=1)},
        ],
        "assertion_bytes": evidence.assertion_bytes(built.assertion).decode(),
        "invalid": [
            *no_documents(error),
            negative("a name twice", doubled, error, ""),
            *refused(samples.bundle(), error, negatives.EVIDENCE),
        ],
    }


def audit_vectors() -> Row:
    bundle = proofs.identification()
    inclusion = bundle.inclusion
    assert inclusion is not None
    payload, signed = (
        base64url.decode(jws.split(".")[1]) for jws in (bundle.receipt, bundle.statement_jws)
    )
    details = audit_log.decision_details(
        payload,
        outcome="ok",
        reason=None,
        statement_sha256=base64url.encode(hashlib.sha256(signed).digest()),
    )
    leaf = base64url.decode(inclusion.event)
    event, head = "audit_event_malformed", "audit_head_malformed"
    return {
        "about": "receipt payload and statement -> details -> event (the leaf) -> path -> signed head",
        "keys": {"head_key": proofs.public_jwk(proofs.HEAD_KEY)},
        "valid": [
            {
                "receipt": payload.decode(),
                "statement": signed.decode(),
                "details": jcs.canonical(details).decode(),
                "event": leaf.decode(),
                "leaf_hash": base64url.encode(merkle.leaf_hash(leaf)),
                "inclusion": msgspec.to_builtins(inclusion),
            }
        ],
        "invalid": {
            "audit_event": [
                *spellings(samples.event()),
                *no_documents(event),
                *refused(samples.event(), event, negatives.EVENT),
            ],
            "audit_head": [
                *spellings(samples.head()),
                *no_documents(head),
                *refused(samples.head(), head, negatives.HEAD),
            ],
        },
    }


def commitment_vectors() -> Row:
    salt, data = samples.fixed("salt"), changed(samples.statement()).encode()
    good = receipt.commit(salt, data)
    wrong = {
        "another salt": (samples.fixed("other salt"), data),
        "other bytes": (salt, data + b" "),
        "a byte moved to the salt": (salt + data[:1], data[1:]),
    }
    return {
        "about": "SHA-256(salt || data), all base64url",
        "valid": [
            _commitment_row(name, salt, value, receipt.commit(salt, value))
            for name, value in {"statement": data, "one byte": b"\0", "no bytes": b""}.items()
        ],
        "invalid": [
            _commitment_row(name, *pair, good) | {"error": "commitment_mismatch"}
            for name, pair in wrong.items()
        ],
    }


def _commitment_row(name: str, salt: bytes, data: bytes, commitment: str) -> Row:
    raw = {"salt": base64url.encode(salt), "data": base64url.encode(data)}
    return {"name": name, **raw, "commitment": commitment}


BUILDERS: dict[str, Callable[[], Row]] = {
    "statement": statement_vectors,
    "shown": shown_vectors,
    "qr_frame": qr_vectors,
    "link": link_vectors,
    "enrolment": enrolment_vectors,
    "receipt": receipt_vectors,
    "evidence": evidence_vectors,
    "audit_log": audit_vectors,
    "conformance_report": report_vectors,
    "commitment": commitment_vectors,
    "binding": binding_vectors,
    "webhook": webhook_vectors,
}
