"""A deliberately careless relying party: each switch leaves out one check, and everything else is done.

It is written on plain HTTP and JSON, as a relying party without the SDK might be, so that the checks which the SDK does
unasked can be left out, too.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from conformance.carelessness import Careless
from conformance.conftest import Surroundings
from inkan.client import AsyncTransport, verify_receipt
from inkan.client.exchange import Answer, Request
from inkan.client.receipt_report import Result
from inkan.client.session_view import FrameSource, QRDoor
from inkan.client.webhooks import NonceMemory, read_webhook_keys, verify_webhook
from inkan.crypto import base64url, jwk
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.http_signatures import HTTPSignatureMalformed, HTTPSignatureWrong
from inkan.crypto.jose import Algorithm, UnverifiedJWS, verify_signature
from inkan.crypto.keys import spki_der
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import new_id, random_bytes
from inkan.kernel.sensitive import Secret
from inkan.web.app import Application, Equipment, Site, build_app
from inkan.web.exchange import Exchange
from inkan.web.principal import open_to_all
from inkan.web.response import Response, ok
from inkan.web.routes import Bare, Group, Surface
from inkan.wire.binding import BindingLevel
from inkan.wire.receipt import Receipt, parse_receipt
from inkan.wire.webhook import WebhookStale

COOKIE, VERIFIER = "__Host-careless", "__Host-careless-verifier"
ACCESS = open_to_all("a relying party of the tests")


# Which failed check of the offline verifier a switch passes over: its number and the codes of its detail.
PASSED_OVER = {
    Careless.ANY_ROOT: (2, {"certificate_untrusted"}),
    Careless.ANY_TERM: (2, {"certificate_expired"}),
    Careless.ANY_SIGNER: (2, {"certificate_wrong_purpose", "certificate_policy_unmet"}),
    Careless.ANY_SIGNATURE: (3, {"jws_signature_wrong"}),
}


class No(Exception):
    """This answer logs nobody in."""


@dataclass
class Visit:
    """One browser's try."""

    session: str
    challenge: str
    door: str
    is_expected: bool
    verifier: str
    qr: QRDoor | None
    frames: FrameSource | None
    state: str = "waiting"
    person: str | None = None
    first_frame: str = ""


@dataclass
class CarelessParty:
    """The relying party; ``switches`` may be changed while it serves."""

    around: Surroundings
    switches: set[Careless] = field(default_factory=set)
    visits: dict[str, Visit] = field(default_factory=dict)
    used_codes: dict[str, str | None] = field(default_factory=dict)
    transport: AsyncTransport = field(default_factory=AsyncTransport)
    nonces: NonceMemory = field(default_factory=NonceMemory)

    def is_careless(self, what: Careless) -> bool:
        return what in self.switches

    # --- the test endpoint ---------------------------------------------------------------------

    async def about(self, _: Exchange) -> Response:
        credentials = self.around.credentials
        told = {"v": 1, "system": credentials.code, "issuer": credentials.issuer}
        return ok(told | {"webhook": f"{self.around.origin}/webhook"})

    async def start(self, exchange: Exchange) -> Response:
        door = exchange.query("door") or "qr"
        is_expected = exchange.query("expected") == "1"
        verifier, challenge = random_bytes(32), base64url.encode(random_bytes(32))
        order: dict[str, Any] = {"kind": "identify", "purpose": "login", "challenge": challenge}
        order["doors"] = [door]
        if is_expected:
            order["subject_hint"] = {"type": "national_id", "value": "A800000014"}
        if door == "web_link":
            binding = base64url.encode(hashlib.sha256(verifier).digest())
            order["return"] = {"url": f"{self.around.origin}/return", "binding": binding}
            order["binding_min"] = "returned"
        answer = await self.call("POST", "/v1/sessions", order)
        if answer.status != 201:
            return Response(503)
        made = json.loads(answer.body)
        qr = QRDoor(**self._known(made["doors"]["qr"])) if door == "qr" else None
        frames = qr and FrameSource(qr, received_at=self.around.clock.monotonic())
        token = exchange.cookie(COOKIE) if self.is_careless(Careless.KEEPS_COOKIE) else None
        token = token or new_id("vis")
        text = base64url.encode(verifier)
        self.visits[token] = Visit(
            made["session"]["id"], challenge, door, is_expected, text, qr, frames
        )
        exchange.set_cookie(COOKIE, token)
        exchange.set_cookie(VERIFIER, text)
        return ok({})

    @staticmethod
    def _known(door: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in door.items() if name != "t0"}

    async def page(self, exchange: Exchange) -> Response:
        visit = self.visit(exchange)
        is_leaking = self.is_careless(Careless.SECRET_IN_PAGE) and visit and visit.qr
        secret = visit.qr.secret if is_leaking and visit and visit.qr else ""
        return Response(200, f"<canvas data-secret='{secret}'>".encode(), media_type="text/html")

    async def frame(self, exchange: Exchange) -> Response:
        visit = self.visit(exchange)
        if visit is None or visit.frames is None:
            return Response(404)
        fresh = visit.frames.frame(self.around.clock.monotonic())
        visit.first_frame = visit.first_frame or fresh
        drawn = visit.first_frame if self.is_careless(Careless.STATIC_CODE) else fresh
        return Response(200, drawn.encode(), media_type="text/plain")

    async def who(self, exchange: Exchange) -> Response:
        visit = self.visit(exchange)
        if visit is None:
            return ok({"state": "none", "person": None})
        await self.look(visit)
        return ok({"state": visit.state, "person": visit.person})

    async def come_back(self, exchange: Exchange) -> Response:
        code, session = exchange.query("return_code") or "", exchange.query("session") or ""
        if self.is_careless(Careless.REMEMBERS_CODES) and code in self.used_codes:
            token = new_id("vis")
            known = next(each for each in self.visits.values() if each.session == session)
            self.visits[token] = known
            exchange.set_cookie(COOKIE, token)
            return ok({})
        visit, verifier = self.visit(exchange), exchange.cookie(VERIFIER)
        named = next((each for each in self.visits.values() if each.session == session), None)
        if visit is not None and named and self.is_careless(Careless.BELIEVES_ADDRESS):
            visit.session, visit.challenge = named.session, named.challenge
            verifier = named.verifier
        if visit is None and named and self.is_careless(Careless.FINISHES_FOR_OTHERS):
            visit, verifier = named, named.verifier
        if visit is None or verifier is None or visit.session != session:
            return Response(403)
        body = {"verifier": verifier, "return_code": code}
        answer = await self.call("POST", f"/v1/sessions/{visit.session}/redeem", body)
        if answer.status != 200:
            return Response(403)
        await self.look(visit)
        self.used_codes[code] = visit.person
        return ok({})

    async def webhook(self, exchange: Exchange) -> Response:
        names = ("content-type", "content-digest", "signature-input", "signature")
        headers = {name: value for name in names if (value := exchange.header(name))}
        body = await exchange.body()
        keys = read_webhook_keys((await self.call("GET", "/v1/jwks.json")).body)
        now = self.around.clock.wire_now()
        seen = NonceMemory() if self.is_careless(Careless.REPLAYED_WEBHOOK) else self.nonces
        url = f"{self.around.origin}/webhook"
        try:
            verify_webhook("POST", url, headers, body, keys=keys, now=now, seen=seen)
        except InkanError as wrong:
            if not any(self.is_careless(each) for each in _passed_over(wrong)):
                raise
        return Response(204)

    # --- what it believes ----------------------------------------------------------------------

    async def look(self, visit: Visit) -> None:
        if visit.state != "waiting":
            return
        view = json.loads((await self.call("GET", f"/v1/sessions/{visit.session}")).body)
        if view["state"] in {"created", "presented", "opened", "decided"}:
            return
        try:
            visit.person = await self.judge(visit, view)
            visit.state = "logged_in"
        except No:
            visit.state = "refused"

    async def judge(self, visit: Visit, view: dict[str, Any]) -> str:
        self.judge_state(view)
        if view["outcome"] != "ok":
            is_mismatch = view["reason"] == "subject_mismatch"
            if is_mismatch and self.is_careless(Careless.MISMATCH_IS_OK):
                return "whoever"
            is_known = view["outcome"] in {"refused", "failed", "blocked"}
            self.demand(Careless.UNKNOWN_OUTCOME_IS_OK, not_ok=True, applies=not is_known)
        self.demand(Careless.IGNORES_STATUS, not_ok=view["status_now"] != "valid")
        is_other = visit.is_expected and view["match"] is not True
        self.demand(Careless.IGNORES_MATCH, not_ok=is_other)
        jws = (await self.call("GET", f"/v1/sessions/{visit.session}/receipt")).body.decode()
        receipt = self.verify(jws)
        self.judge_receipt(visit, view, receipt)
        return str(view["subject"]["person_ref"])

    def judge_state(self, view: dict[str, Any]) -> None:
        state = view["state"]
        if state in {"cancelled", "expired"}:
            self.demand(Careless.CANCELLED_IS_OK, not_ok=True, applies=view["outcome"] == "ok")
        elif state != "closed":
            self.demand(Careless.UNKNOWN_STATE_IS_OK, not_ok=True)

    def judge_receipt(self, visit: Visit, view: dict[str, Any], receipt: Receipt) -> None:
        around = self.around
        self.demand(Careless.ANY_SESSION, not_ok=receipt.session != visit.session)
        self.demand(Careless.ANY_CHALLENGE, not_ok=receipt.challenge != visit.challenge)
        domain = urlsplit(around.origin).hostname
        self.demand(Careless.ANY_PARTY, not_ok=receipt.relying_party.domain != domain)
        self.demand(Careless.ANY_ISSUER, not_ok=receipt.iss != around.credentials.issuer)
        self.demand(Careless.IGNORES_RECEIPT_OUTCOME, not_ok=receipt.outcome != "ok")
        if receipt.subject is not None:
            same = receipt.subject.person_ref == view["subject"]["person_ref"]
            self.demand(Careless.BELIEVES_VIEW, not_ok=not same)
        if visit.door == "web_link":
            reached = receipt.binding.level
            if self.is_careless(Careless.LEVEL_OF_VIEW):
                reached = BindingLevel(view["binding"]["level"])
            self.demand(Careless.IGNORES_LEVEL, not_ok=reached < BindingLevel.RETURNED)

    def demand(self, unless: Careless, *, not_ok: bool, applies: bool = True) -> None:
        if not_ok and not (applies and self.is_careless(unless)):
            raise No(unless)

    def verify(self, jws: str) -> Receipt:
        head, payload, signature = jws.split(".")
        header = json.loads(base64url.decode(head))
        if self._believes_token(header, head, payload, signature):
            return parse_receipt(base64url.decode(payload))
        report = verify_receipt(jws, self.around.anchors)
        for check in report.checks:
            if check.result is Result.FAILED and not self._passes_over(check, header):
                raise No(check.detail)
        return parse_receipt(base64url.decode(payload))

    def _passes_over(self, check: Any, header: dict[str, Any]) -> bool:
        code = check.detail.partition(":")[0]
        is_usual = header["alg"] == "ES256" and "jwk" not in header
        return is_usual and any(
            check.number == number and code in codes
            for switch, (number, codes) in PASSED_OVER.items()
            if self.is_careless(switch)
        )

    def _believes_token(
        self, header: dict[str, Any], head: str, payload: str, signature: str
    ) -> bool:
        signer = parse_certificate(base64.b64decode(header["x5c"][0])).public_key
        message = f"{head}.{payload}".encode()
        if "jwk" in header:
            own = jwk.load_jwk(header["jwk"])
            return self.is_careless(Careless.KEY_IN_HEADER) and _holds(own, message, signature)
        if header["alg"] == "none":
            return self.is_careless(Careless.ALG_NONE)
        if header["alg"] == "HS256" and self.is_careless(Careless.ALG_HS256):
            digest = hmac.new(spki_der(signer), message, hashlib.sha256).digest()
            return hmac.compare_digest(base64url.encode(digest), signature)
        is_rs256 = header["alg"] == "RS256" and self.is_careless(Careless.ALG_RS256)
        return is_rs256 and _holds(signer, message, signature)

    # --- around it -------------------------------------------------------------------------------

    def visit(self, exchange: Exchange) -> Visit | None:
        return self.visits.get(exchange.cookie(COOKIE) or "")

    async def call(self, method: str, path: str, body: Any = None) -> Answer:
        """The kit's platform asks nobody who he is."""
        url = self.around.credentials.issuer + path
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"} if data else {}
        return await self.transport.send(
            Request(method=method, url=url, headers=headers, body=data)
        )

    def application(self) -> Application:
        places = {
            "/conformance/about": self.about,
            "/conformance/start": self.start,
            "/conformance/page": self.page,
            "/conformance/frame": self.frame,
            "/conformance/who": self.who,
            "/return": self.come_back,
        }
        rows = {("GET", path): Bare(endpoint=each, access=ACCESS) for path, each in places.items()}
        hook = Bare(endpoint=self.webhook, access=ACCESS)
        groups = [
            Group(surface=Surface.PAGES, bare=rows),
            Group(surface=Surface.API, bare={("POST", "/webhook"): hook}),
        ]
        equipment = Equipment(clock=self.around.clock, csrf_key=Secret(random_bytes(32)))
        site = Site(name="Careless", origin=self.around.origin, groups=groups)
        return build_app([site], equipment)


def _holds(key: Any, message: bytes, signature: str) -> bool:
    token = UnverifiedJWS({"alg": "ES256"}, b"", message, base64url.decode(signature))
    try:
        verify_signature(token, key, algs=[Algorithm.ES256])
    except InkanError:
        return False
    return True


def _passed_over(wrong: InkanError) -> Collection[Careless]:
    """The switches that pass over this refusal of a webhook."""
    if isinstance(wrong, WebhookStale):
        return [Careless.OLD_WEBHOOK]
    if isinstance(wrong, HTTPSignatureMalformed):
        return [Careless.UNSIGNED_WEBHOOK]
    if isinstance(wrong, HTTPSignatureWrong):
        table = {
            "keyid": Careless.WEBHOOK_ANY_KEY,
            "signature": Careless.WEBHOOK_ANY_SIGNATURE,
            "content-digest": Careless.WEBHOOK_ANY_BODY,
        }
        return [table[wrong.detail]]
    return []
