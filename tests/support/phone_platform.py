"""A stand-in for the platform's phone side, in this process: just enough to hold a phone's conversation.

It checks what a phone sends with the real formats (proofs, CSRs, registration, CMS, statement, assertion) and hands
out real certificates. ``bend`` changes answers, ``lose`` carries a request out and loses its answer, so that tests
see what a phone makes of a lying or a flaky platform.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_public_key

from inkan.crypto import base64url, cms, dpop, oids, webauthn
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.crypto.phone_binding import PhoneBinding, encode_phone_binding
from inkan.kernel.clock import rfc3339
from inkan.wire import enrolment_request as requests
from inkan.wire.enrolment_request import Purpose
from support.phone_keys_elsewhere import KeysElsewhere
from support.phone_questions import AskedApprovals
from support.phone_words import (
    ENROL_FRAME,
    HANDLE,
    PLATFORM,
    POLICY,
    RP_ID,
    USAGE,
    WALLET,
    KeyOf,
    Refusal,
    b64,
    sha,
    true_now,
)
from support.pki import Authority


class PhonePlatform(AskedApprovals, KeysElsewhere, httpx.AsyncBaseTransport):
    """The stand-in; give it to ``AsyncTransport`` as its connections."""

    def __init__(
        self,
        *,
        key_spec: str = "P-256",
        uses: tuple[str, ...] = ("auth", "sign"),
        ahead: timedelta = timedelta(0),
        key_backends: tuple[str, ...] = ("A", "plain"),
    ):
        KeysElsewhere.__init__(self)
        self.key_backends, self.back_end = key_backends, "A"
        self.ahead = ahead
        start, end = self.now() - timedelta(days=1), self.now() + timedelta(days=365)
        self.term = {"not_before": start, "not_after": end}
        self.root = Authority.root(**self.term)
        self.issuing = self.root.subordinate("Phone CA", policies=[oids.ANY_POLICY], **self.term)
        self.key_spec, self.uses = key_spec, uses
        self.bend: dict[str, Callable[[dict], Any]] = {}
        self.lose: Counter[str] = Counter()
        self.refuse: dict[str, Refusal] = {}
        self.dead: set[str] = set()
        self.calls: list[tuple[str, str]] = []
        self.bodies: list[bytes] = []
        self.state = "started"
        self.nonce, self.challenge = b64(bytes([1]) * 32), b64(bytes([2]) * 32)
        self.certificates: dict[str, Any] = {}
        self.content = b""
        self.credential = None
        self.kind = "identify"
        self.draft = None
        self.decided: bytes | None = None
        self.present = False
        self.guards_certificates = False
        self.given_back = 0
        self._seen: set[str] = set()

    def now(self) -> datetime:
        """The instance's time."""
        return true_now() + self.ahead

    # --- transport ----------------------------------------------------------------------------------

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        body = await request.aread()
        if path in self.dead:
            raise httpx.ConnectError("nobody there")
        self.calls.append((request.method, path))
        self.bodies.append(body)
        try:
            self._authenticate(request, path)
            if path in self.refuse:
                raise self.refuse.pop(path)
            answer = self._route(request.method, path, json.loads(body or b"null"))
        except Refusal as refused:
            return httpx.Response(
                refused.status,
                headers={"content-type": "application/problem+json"},
                stream=httpx.ByteStream(json.dumps(refused.members).encode()),
            )
        if self.lose[path]:
            self.lose[path] -= 1
            raise httpx.ReadError("the answer was lost")
        if answer is None:
            return httpx.Response(204, stream=httpx.ByteStream(b""))
        for suffix, change in self.bend.items():
            if path.endswith(suffix):
                answer = change(answer)
        return httpx.Response(200, stream=httpx.ByteStream(msgspec.json.encode(answer)))

    def _authenticate(self, request: httpx.Request, path: str) -> None:
        if path.startswith("/enrol/"):
            return
        url = f"{PLATFORM}{path}"
        assert str(request.url).partition("?")[0] == url
        proof = dpop.verify_proof(
            request.headers["dpop"], method=request.method, url=url, now=true_now()
        )
        assert proof.jti not in self._seen, "a proof was sent twice"
        self._seen.add(proof.jti)
        self.jkt = proof.jkt

    def _route(self, method: str, path: str, body: Any) -> Any:
        parts = path.strip("/").split("/")
        name = "_".join([method.lower(), *(p for p in parts if not p.startswith("id-"))])
        handler = getattr(self, name.replace("/", "_"), None)
        if handler is None:
            raise Refusal(404, "not_found")
        ids = [part for part in parts if part.startswith("id-")]
        return handler(body, *ids)

    # --- page and card --------------------------------------------------------------------------------

    def post_enrol_v1_requests(self, body):
        assert body == {"scheme": "tw-citizen", "terms_version": "2026-1"}
        return {
            "id": "id-request",
            "secret": b64(bytes(32)),
            "handle": HANDLE,
            "expires_at": rfc3339(self.now()),
            "state": "started",
        }

    def get_enrol_v1_requests(self, _, __):
        return {"state": self.state, "phone_name": "ASUS", "refusal": None}

    def get_enrol_v1_requests_frame(self, _, __):
        return {"frame": ENROL_FRAME}

    def get_enrol_v1_requests_content(self, _, __):
        if self.state != "prepared":
            raise Refusal(409, "enrolment_out_of_order")
        return {"content": b64(self.content), "content_type": requests.CONTENT_TYPES[Purpose.BIND]}

    def post_enrol_v1_requests_cms(self, body, _):
        signed = cms.parse_signed_data(base64url.decode(body["cms"]))
        assert signed.content == self.content
        self.certificates = {use: self._issue(use, spki) for use, spki in self.spkis.items()}
        self.state = "issued"
        return {"state": "issued", "phone": "id-phone", "certificates": self._ids()}

    # --- binding ----------------------------------------------------------------------------------------

    def post_phone_v1_enrolments(self, body):
        assert body["frame"] == ENROL_FRAME
        if body["back_end"] not in self.key_backends:
            raise Refusal(403, "back_end_refused")
        self.name, self.back_end, self.state = body["name"], body["back_end"], "joined"
        return {
            "id": "id-request",
            "nonce": self.nonce,
            "issuer": PLATFORM,
            "scheme": "tw-citizen",
            "rp_id": RP_ID,
            "key_spec": self.key_spec,
            "uses": self.uses,
            "challenge": self.challenge,
            "algorithms": [-7],
            "terms_version": "2026-1",
            "key_backends": self.key_backends,
            "expires_at": rfc3339(self.now()),
            "now": rfc3339(self.now()),
        }

    def post_phone_v1_enrolments_csr(self, body, _):
        assert (body["csrs"] == {}) is (self.back_end == "B")
        elsewhere = self.made("bind") if self.back_end == "B" else {}
        self.spkis = self._proved(elsewhere.get("csrs") or body["csrs"])
        made = body["registration"]
        response = {
            "id": made["credential_id"],
            "rawId": made["credential_id"],
            "type": "public-key",
            "response": {
                "clientDataJSON": made["client_data_json"],
                "attestationObject": made["attestation_object"],
            },
        }
        self.credential = webauthn.verify_registration(
            json.dumps(response).encode(),
            challenge=base64url.decode(self.challenge),
            origins=(WALLET,),
            rp_id=RP_ID,
        )
        self.count = self.credential.sign_count
        self.content = requests.content_bytes(self._bind_content())
        self.state = "prepared"
        return {"state": "prepared", "content": b64(self.content)} | elsewhere

    def _bind_content(self) -> requests.BindContent:
        return requests.BindContent(
            v=1,
            purpose="bind",
            aud=PLATFORM,
            scheme="tw-citizen",
            nonce=self.nonce,
            keys=tuple(
                requests.RequestedKey(use=use, spki_sha256=sha(spki))
                for use, spki in self.spkis.items()
            ),
            credential_id_sha256=sha(self.credential.id),
            cose_key_sha256=sha(self.credential.cose_key),
            channel_jkt=self.jkt,
            rp_id=RP_ID,
            back_end=self.back_end,
            attestation_sha256=b64(self.credential.attestation_sha256),
            scope=(),
            terms_version="2026-1",
            phone_name=self.name,
            at=rfc3339(self.now()),
        )

    def _proved(self, csrs: dict[str, str]) -> dict[str, bytes]:
        assert tuple(csrs) == self.uses
        return {use: verify_csr(parse_csr(base64url.decode(der))).spki for use, der in csrs.items()}

    def get_phone_v1_enrolments(self, _, __):
        issued = self.state == "issued"
        return {
            "state": self.state,
            "phone": "id-phone" if issued else None,
            "certificates": self._ids() if issued else {},
            "refusal": "no_free_slot" if self.state == "refused" else None,
        }

    def get_phone_v1_certificates(self, _, wanted):
        if self.guards_certificates:
            self._require_presence()
        held = next(h for h in self.certificates.values() if f"id-{h.certificate.serial}" == wanted)
        return {
            "der": b64(held.der),
            "chain": [b64(self.issuing.der)],
            "not_before": rfc3339(held.certificate.not_before),
            "not_after": rfc3339(held.certificate.not_after),
            "issuer_and_serial": b64(cms.issuer_and_serial(held.der)),
        }

    def issue(self, use: str, spki: bytes, **bent):
        """A certificate for a key of the phone; ``binding`` and ``credential`` can be bent."""
        credential = bent.pop("credential", self.credential.id + self.credential.cose_key)
        binding = bent.pop("binding", "id-phone")
        value = encode_phone_binding(PhoneBinding(hashlib.sha256(credential).digest(), binding))
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(oids.PHONE_BINDING), value)
        defaults = {
            "usage": USAGE[use],
            "policies": [POLICY[use]],
            "extra": [(extension, False)],
        } | self.term
        issuer = bent.pop("issuer", self.issuing)
        return issuer.issue("王小明", key=KeyOf(load_der_public_key(spki)), **defaults | bent)

    def _issue(self, use: str, spki: bytes):
        return self.issue(use, spki)

    def _ids(self) -> dict[str, str]:
        return {use: f"id-{held.certificate.serial}" for use, held in self.certificates.items()}

    # --- presence and settings ------------------------------------------------------------------------

    def post_phone_v1_assertions_begin(self, _):
        return {"challenge": b64(bytes([5]) * 32)}

    def post_phone_v1_assertions(self, body):
        self._verify_assertion(body, bytes([5]) * 32)
        self.present = True
        return {"until": rfc3339(self.now())}

    def get_phone_v1_phones(self, _):
        self._require_presence()
        return {"phones": [{"id": "id-phone", "name": self.name, "state": "active", "this": True}]}

    def get_phone_v1_records(self, _):
        self._require_presence()
        return {"records": [{"id": "rec_1"}]}

    def post_phone_v1_revoke(self, body):
        self._require_presence()
        self.revoked = body

    def _require_presence(self) -> None:
        if not self.present:
            raise Refusal(403, "verification_stale")

    def _verify_assertion(self, body: dict[str, str], challenge: bytes) -> None:
        made = webauthn.Assertion(**{name: base64url.decode(v) for name, v in body.items()})
        known = webauthn.KnownCredential(
            id=self.credential.id,
            cose_key=self.credential.cose_key,
            backup_eligible=self.credential.backup_eligible,
            sign_count=self.count,
        )
        result = webauthn.verify_assertion(
            made, known=known, challenge=challenge, origin=WALLET, rp_id=RP_ID
        )
        assert not result.sign_count_suspect
        self.count = result.sign_count

    # --- renewal ----------------------------------------------------------------------------------------

    def post_phone_v1_renew_begin(self, _):
        self.renewed = None
        return {
            "nonce": b64(bytes([6]) * 32),
            "aud": PLATFORM,
            "scheme": "tw-citizen",
            "key_spec": self.key_spec,
            "uses": self.uses,
            "binding_id": "id-phone",
            "old_certificate_sha256": sha(self.certificates["auth"].der),
            "now": rfc3339(self.now()),
        } | (self.made("renew") if self.back_end == "B" else {})

    def post_phone_v1_renew(self, body):
        if self.renewed == body:
            return {"certificates": self._ids()}
        signed, csrs = self._renewal_of(body)
        content = requests.parse_renew(signed)
        self.spkis = self._proved(csrs)
        assert [key.spki_sha256 for key in content.keys] == [sha(s) for s in self.spkis.values()]
        assert content.back_end == self.back_end
        self._verify_assertion(body["assertion"], requests.renew_challenge(signed))
        self.renewed, self.confirmed = body, 0
        self.certificates = {use: self._issue(use, spki) for use, spki in self.spkis.items()}
        return {"certificates": self._ids()}

    def _renewal_of(self, body: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
        if self.back_end == "B":
            assert set(body) == {"content", "assertion"}
            self.use_up(body["assertion"])
            return base64url.decode(body["content"]), self.made("renew")["csrs"]
        signed = cms.parse_signed_data(base64url.decode(body["cms"]))
        assert signed.signer == self.certificates["auth"].der
        return signed.content, body["csrs"]

    def post_phone_v1_renew_confirm(self, _):
        if self.confirmed:
            raise Refusal(409, "renewal_unknown")
        self.confirmed += 1
        return {"certificates": self._ids()}
