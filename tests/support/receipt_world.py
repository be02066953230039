"""One identification as its artefacts, built by hand: certificates, statement, assertion, receipt, evidence.

    world = ReceiptWorld()
    world.receipt_jws, world.bundle, world.anchors

Every part is a keyword of :meth:`ReceiptWorld.bent`, so that a test changes exactly one thing and everything that
depends on it (signatures, commitments) is made again around the change, or, with :func:`replaced`, is not.
"""

import base64
import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec
from cryptography import x509

from inkan.crypto import base64url, jcs, jose, oids
from inkan.crypto.jose import Algorithm
from inkan.crypto.phone_binding import PhoneBinding, encode_phone_binding
from inkan.wire import audit_log
from inkan.wire import evidence as wire
from inkan.wire import receipt as receipts
from inkan.wire import statement as statements
from inkan.wire.shown import Language, Template, render, text_sha256
from support.authenticator import Authenticator
from support.keyring import ec_key, rsa_key
from support.pki import Authority
from support.tree import tree_hash, tree_path

ISSUER = "https://id.example.org"
WALLET = "https://wallet.example.org"
DECIDED = "2026-11-21T12:00:00Z"
LOGGED = "2026-11-21T12:00:40Z"
EVENT_SALT = bytes([50]) * 16
INDEX, SIZE = 5, 7
RELYING_PARTY = {"id": "rp_tax", "name": "財政部稅務署", "domain": "tax.example.org"}
USAGES = {
    "identify": "digital_signature",
    "approve": "digital_signature",
    "sign": "content_commitment",
}
POLICIES = {
    "identify": oids.POLICY_PHONE_AUTH,
    "approve": oids.POLICY_PHONE_AUTH,
    "sign": oids.POLICY_PHONE_SIGN,
}
TEMPLATES = {
    "identify": Template.IDENTIFY_V1,
    "approve": Template.APPROVE_V1,
    "sign": Template.SIGN_V1,
}


def b64(data: bytes) -> str:
    return base64url.encode(data)


def seeded(seed: int) -> str:
    return b64(bytes([seed]) * 32)


def replaced(bundle: wire.EvidenceBundle, **changes: Any) -> wire.EvidenceBundle:
    """A bundle with members changed, and nothing made to fit."""
    return msgspec.structs.replace(bundle, **changes)


@dataclass
class ReceiptWorld:
    """The whole chain of artefacts of one approval."""

    kind: str = "identify"
    key: Any = None
    single_key: bool = False
    statement: dict = field(default_factory=dict)
    receipt: dict = field(default_factory=dict)
    leaf: dict = field(default_factory=dict)
    signer: dict = field(default_factory=dict)
    header: dict = field(default_factory=dict)
    assertion: dict = field(default_factory=dict)
    event: dict = field(default_factory=dict)
    details: dict = field(default_factory=dict)
    head: dict = field(default_factory=dict)
    head_signer: dict = field(default_factory=dict)
    authenticator: Authenticator = None
    root: Authority = None
    issuing: Authority = None
    alg: Algorithm | None = None

    def __post_init__(self):
        self.key = self.key or rsa_key()
        self.authenticator = self.authenticator or Authenticator(
            rp_id="wallet.example.org", origin=WALLET, key=ec_key(7)
        )
        self.root = self.root or Authority.root()
        self.issuing = self.issuing or self.root.subordinate(
            "Phone CA", policies=[oids.ANY_POLICY], path_length=0
        )

    # --- certificates ---------------------------------------------------------------------------

    @cached_property
    def credential_sha256(self) -> bytes:
        return hashlib.sha256(
            self.authenticator.credential_id + self.authenticator.cose_key
        ).digest()

    @cached_property
    def phone(self):
        binding = encode_phone_binding(PhoneBinding(self.credential_sha256, "pho_1"))
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(oids.PHONE_BINDING), binding)
        usage = [USAGES[self.kind]]
        defaults = {
            "usage": ["digital_signature", "content_commitment"] if self.single_key else usage,
            "policies": [POLICIES[self.kind]],
            "extra": [(extension, False)],
        }
        return self.issuing.issue("王小明", key=self.key, **defaults | self.leaf)

    @cached_property
    def receipt_signer(self):
        defaults = {"policies": [oids.POLICY_RECEIPT]}
        return self.root.issue("Receipts", key=ec_key(8), **defaults | self.signer)

    @property
    def anchors(self) -> tuple[bytes, ...]:
        return (self.root.der,)

    # --- statement and assertion ------------------------------------------------------------------

    @cached_property
    def contents(self) -> tuple:
        if self.kind == "identify":
            return ()
        form = "cms" if self.kind == "sign" else "statement"
        members = {
            "id": "doc_1",
            "name": "申報書.pdf",
            "digest": seeded(31),
            "alg": "sha-256",
            "format": form,
            "tbs_sha256": seeded(32) if form == "cms" else None,
        }
        return (msgspec.convert(members, statements.Content),)

    @cached_property
    def text(self) -> str:
        return render(
            TEMPLATES[self.kind],
            Language.ZH_HANT,
            relying_party=RELYING_PARTY["name"],
            domain=RELYING_PARTY["domain"],
            purpose_text="登入報稅系統",
            door="qr",
            contents=self.contents,
            full_evidence=True,
        )

    @cached_property
    def draft(self) -> statements.Draft:
        members = {
            "v": 1,
            "iss": ISSUER,
            "kind": self.kind,
            "decision": "approve",
            "session": "ses_1",
            "system": "sys_1",
            "relying_party": RELYING_PARTY,
            "purpose": "login",
            "shown": {
                "template": TEMPLATES[self.kind],
                "lang": "zh-Hant",
                "text_sha256": text_sha256(self.text),
            },
            "claims": (),
            "challenge": seeded(1),
            "contents": self.contents,
            "door": "qr",
            "return_origin": None,
            "cert_sha256": statements.certificate_sha256(self.phone.der),
            "cred_sha256": b64(self.credential_sha256),
            "server_nonce": seeded(2),
            "at": "2026-11-21T11:59:40Z",
        }
        return msgspec.convert(members | self.statement, statements.Draft)

    @cached_property
    def statement_bytes(self) -> bytes:
        return statements.statement_bytes(
            self.draft,
            phone_nonce=bytes([3]) * 32,
            text_sha256=self.draft.shown.text_sha256,
        )

    @cached_property
    def statement_jws(self) -> str:
        is_rsa = hasattr(self.key, "key_size") and self.key.key_size > 1024
        header = {"x5t#S256": statements.certificate_sha256(self.phone.der)} | self.header
        return jose.sign_compact(
            self.statement_bytes,
            self.key,
            alg=self.alg or (Algorithm.PS256 if is_rsa else Algorithm.ES256),
            typ=header.pop("typ", statements.STATEMENT_TYP),
            header=header,
        )

    @cached_property
    def wire_assertion(self) -> wire.Assertion:
        challenge = statements.statement_challenge(self.statement_bytes)
        made = self.authenticator.answer(**{"challenge": challenge} | self.assertion)
        return wire.Assertion(
            credential_id=b64(made.credential_id),
            client_data_json=b64(made.client_data_json),
            authenticator_data=b64(made.authenticator_data),
            signature=b64(made.signature),
        )

    # --- receipt ----------------------------------------------------------------------------------

    @cached_property
    def salts(self) -> dict[str, bytes]:
        names = ("statement", "certificate", "assertion")
        return {name: bytes([40 + n]) * 32 for n, name in enumerate(names)}

    @cached_property
    def commitments(self) -> dict[str, str]:
        data = {
            "statement": self.statement_bytes,
            "certificate": self.phone.der,
            "assertion": wire.assertion_bytes(self.wire_assertion),
        }
        return {name: receipts.commit(self.salts[name], data[name]) for name in data}

    @cached_property
    def receipt_members(self) -> dict[str, Any]:
        alike = (
            "iss",
            "session",
            "kind",
            "system",
            "relying_party",
            "purpose",
            "challenge",
            "contents",
            "door",
        )
        return (
            {name: getattr(self.draft, name) for name in alike}
            | {
                "v": 1,
                "outcome": "ok",
                "reason": None,
                "subject": {"person_ref": "pairwise-1"},
                "claims": {},
                "binding": {"level": "none", "evidence": ()},
                "young": False,
                "back_end": {"kind": "A", "attested": False, "synced": False},
                "single_key": self.single_key,
                "user_verification": "undisclosed",
                "evidence": "full",
                "commitments": self.commitments,
                "decided_at": DECIDED,
                "released_at": DECIDED,
                "status_at": DECIDED,
            }
            | self.receipt
        )

    @cached_property
    def receipt_payload(self) -> bytes:
        members = msgspec.to_builtins(self.receipt_members)
        return receipts.receipt_bytes(msgspec.convert(members, receipts.Receipt))

    @cached_property
    def receipt_jws(self) -> str:
        return self.sign_receipt(self.receipt_payload)

    def sign_receipt(
        self, payload: bytes, *, key=None, chain=None, typ=receipts.RECEIPT_TYP
    ) -> str:
        chain = [self.receipt_signer.der] if chain is None else chain
        header = {"x5c": [base64.b64encode(der).decode() for der in chain]}
        return jose.sign_compact(
            payload, key or self.receipt_signer.key, alg=Algorithm.ES256, typ=typ, header=header
        )

    # --- audit log --------------------------------------------------------------------------------

    @cached_property
    def log_signer(self):
        defaults = {"policies": [oids.POLICY_AUDIT_HEAD], "key": ec_key(12)}
        return self.issuing.issue("Audit log", **defaults | self.head_signer)

    @cached_property
    def event_details(self) -> dict:
        return {
            "outcome": "ok",
            "reason": None,
            "receipt_sha256": b64(hashlib.sha256(self.receipt_payload).digest()),
            "statement_sha256": b64(hashlib.sha256(self.statement_bytes).digest()),
        } | self.details

    @cached_property
    def leaf_bytes(self) -> bytes:
        details = self.event_details
        members = {
            "v": 1,
            "id": "ev_decision",
            "at": 1795262400000000,
            "use_case": "identification.session_decided",
            "actor": {"kind": "phone", "id": "phn_1"},
            "subject": "ps_1",
            "object": "ses_1",
            "details": b64(hashlib.sha256(EVENT_SALT + jcs.canonical(details)).digest()),
        }
        return jcs.canonical(members | self.event)

    @cached_property
    def leaves(self) -> list[bytes]:
        others = [f"event {number}".encode() for number in range(SIZE)]
        return [*others[:INDEX], self.leaf_bytes, *others[INDEX + 1 :]]

    @cached_property
    def head_payload(self) -> bytes:
        members = {
            "v": 1,
            "number": 3,
            "size": SIZE,
            "root": b64(tree_hash(self.leaves)),
            "at": LOGGED,
            "previous": seeded(51),
        }
        return jcs.canonical(members | self.head)

    def sign_head(self, payload=None, *, key=None, chain=None, typ=audit_log.HEAD_TYP) -> str:
        chain = [self.log_signer.der, self.issuing.der] if chain is None else chain
        header = {"x5c": [base64.b64encode(der).decode() for der in chain]} if chain else {}
        return jose.sign_compact(
            payload or self.head_payload,
            key or self.log_signer.key,
            alg=Algorithm.ES256,
            typ=typ,
            header=header,
        )

    @cached_property
    def inclusion(self) -> wire.Inclusion:
        return wire.Inclusion(
            index=INDEX,
            tree_size=SIZE,
            path=tuple(map(b64, tree_path(INDEX, self.leaves))),
            head_jws=self.sign_head(),
            event=b64(self.leaf_bytes),
            salt=b64(EVENT_SALT),
        )

    # --- evidence ---------------------------------------------------------------------------------

    @cached_property
    def bundle(self) -> wire.EvidenceBundle:
        return wire.EvidenceBundle(
            v=1,
            receipt=self.receipt_jws,
            statement_jws=self.statement_jws,
            assertion=self.wire_assertion,
            cose_key=b64(self.authenticator.cose_key),
            certificates=(b64(self.phone.der), b64(self.issuing.der)),
            salts=wire.Salts(**{name: b64(salt) for name, salt in self.salts.items()}),
            revocation=self.revocation(),
            inclusion=self.inclusion,
            timestamp=None,
            platform_words=(wire.PlatformWord.SUBJECT,),
        )

    def revocation(self, *, ocsp=None, crls=None) -> wire.Revocation:
        """Good OCSP answer for the phone, clean CRLs of both authorities."""
        if ocsp is None:
            ocsp = (self.issuing.ocsp(self.phone.certificate),)
        if crls is None:
            crls = (self.issuing.crl(), self.root.crl())
        return wire.Revocation(ocsp=tuple(map(b64, ocsp)), crls=tuple(map(b64, crls)))
