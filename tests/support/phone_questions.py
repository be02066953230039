"""The approvals of the stand-in for the platform's phone side: questions put up, and answers checked."""

import json
from datetime import timedelta

import msgspec

from inkan.crypto import jose
from inkan.crypto.jose import Algorithm
from inkan.kernel.clock import rfc3339
from inkan.wire import statement as statements
from inkan.wire.shown import render, text_sha256
from support.phone_words import FRAME, PLATFORM, Refusal, b64, sha


class AskedApprovals:
    """The part of the stand-in that asks; it is one with ``PhonePlatform``."""

    def ask(self, *, kind: str = "identify", **bent) -> None:
        """Put up a question; the next open gives it out."""
        self.kind, self.decided = kind, None
        contents = bent.pop("contents", ())
        purpose_text = bent.pop("purpose_text", "登入報稅系統")
        use = "sign" if kind == "sign" else "auth"
        template = f"{kind}.v1"
        party = {"id": "rp_tax", "name": "財政部稅務署", "domain": "tax.example.org"}
        lang = bent.pop("lang", "zh-Hant")
        self.text = render(
            template,
            lang,
            relying_party=party["name"],
            domain=party["domain"],
            purpose_text=purpose_text,
            door="qr",
            contents=msgspec.convert(contents, tuple[statements.Content, ...]),
            claims=bent.get("claims", ()),
            full_evidence=bent.pop("full_evidence", kind == "sign"),
        )
        self.draft = {
            "v": 1,
            "iss": PLATFORM,
            "kind": kind,
            "decision": "approve",
            "session": "ses_1",
            "system": "sys_1",
            "relying_party": party,
            "purpose": "login",
            "shown": {"template": template, "lang": lang, "text_sha256": text_sha256(self.text)},
            "claims": (),
            "challenge": b64(bytes([7]) * 32),
            "contents": contents,
            "door": "qr",
            "return_origin": None,
            "cert_sha256": sha(self.certificates[use].der),
            "cred_sha256": sha(self.credential.id + self.credential.cose_key),
            "server_nonce": b64(bytes([8]) * 32),
            "at": rfc3339(self.now()),
        } | bent

    def post_phone_v1_approvals_open(self, body):
        assert body["frame"] == FRAME
        return {
            "approval": "id-approval",
            "draft": self.draft,
            "text": self.text,
            "expires_at": rfc3339(self.now() + timedelta(minutes=3)),
            "now": rfc3339(self.now()),
        }

    def post_phone_v1_approvals_decide(self, body, _):
        received = json.dumps(body).encode()
        if self.decided is not None:
            if self.decided != received:
                raise Refusal(409, "decided_otherwise")
            return {"state": "closed", "outcome": "ok"}
        use = "sign" if self.kind == "sign" else "auth"
        key = self.certificates[use].certificate.public_key
        is_elsewhere = self.back_end == "B"
        jws = self.signed_elsewhere(body, use) if is_elsewhere else body["jws"]
        token = jose.parse_compact(
            jws,
            typ=statements.STATEMENT_TYP,
            required=("x5t#S256",),
            limit=2 * statements.STATEMENT_LIMIT,
        )
        jose.verify_signature(token, key, algs=(Algorithm.PS256, Algorithm.ES256))
        statement = statements.parse_statement(token.payload)
        draft = msgspec.convert(self.draft, statements.Draft)
        assert statements.difference(draft, statement) is None
        self._verify_assertion(body["assertion"], statements.statement_challenge(token.payload))
        self.decided = received
        return {"state": "closed", "outcome": "ok"}

    def post_phone_v1_approvals_release(self, _, __):
        self.given_back += 1

    def post_phone_v1_approvals_refuse(self, _, __):
        return {"state": "closed", "outcome": "refused"}

    post_phone_v1_approvals_report = post_phone_v1_approvals_refuse
