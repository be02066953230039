"""Attacks with answers: receipts that are forged, of others or of another time, and readings that lie."""

import hashlib
import hmac
from functools import partial
from typing import Any

from inkan.conformance.model import Unproved
from inkan.conformance.service.authority import KitRoot, Signer, new_key
from inkan.conformance.service.plays import OTHER, Lie, Play, View
from inkan.conformance.service.receipts import es256, head_of, signing_input, token
from inkan.conformance.service.stage import Stage
from inkan.crypto import base64url, jwk, oids
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.keys import spki_der
from inkan.kernel.ids import new_id, random_bytes
from inkan.wire.binding import BindingLevel, Door
from inkan.wire.session import Outcome


async def forged_receipt(stage: Stage) -> None:
    """A receipt of a root of the same name, one under a stolen certificate, one whose content was changed."""
    await stage.control(Door.QR)
    scribe, good = stage.platform.scribe, stage.platform.root.receipts
    rogue = KitRoot.made(stage.platform.clock).receipts

    def changed(play: Play) -> str:
        head, _, signature = token(scribe.payload(play), good).split(".")
        other = scribe.payload(play, purpose=f"{play.order.purpose}.x")
        return f"{head}.{base64url.encode(other)}.{signature}"

    lies = {
        "a receipt of another root": lambda play: token(scribe.payload(play), rogue),
        "another key under the signer's certificate": lambda play: token(
            scribe.payload(play), good, key=new_key()
        ),
        "a receipt changed after it was signed": changed,
    }
    for what, receipt in lies.items():
        await stage.lied_to(what, Lie(receipt=receipt))


async def expired_signer(stage: Stage) -> None:
    """A receipt by a signer whose certificate had ended before the release."""
    await stage.control(Door.QR)
    await _signed_by(stage, "a signer whose certificate had ended", stage.platform.root.expired)


async def wrong_signer(stage: Stage) -> None:
    """A receipt that a phone's genuine certificate signed."""
    await stage.control(Door.QR)
    await _signed_by(stage, "a phone's certificate as signer", stage.platform.root.phone)
    other = stage.platform.root.issue("Audit log", policy=oids.POLICY_AUDIT_HEAD)
    await _signed_by(stage, "the audit log's certificate as signer", other)


async def revoked_certificate(stage: Stage) -> None:
    """The person's certificate is not valid any more when the relying party reads."""
    await stage.control(Door.QR)
    for state in ("revoked", "suspended"):
        await stage.lied_to(
            f"status_now {state}",
            Lie(view=partial(_closed, status_now=state)),
        )


async def swapped_receipt(stage: Stage) -> None:
    """Genuine receipts of the platform for something else."""
    await stage.control(Door.QR)
    elsewhere = {"id": "rp_other", "name": "Another agency", "domain": "other.example"}
    cases: dict[str, dict[str, Any]] = {
        "the receipt of another session": {"session": new_id("ses")},
        "a receipt for another challenge": {"challenge": base64url.encode(random_bytes(32))},
        "a receipt for another relying party": {
            "system": "sys_other",
            "relying_party": elsewhere,
        },
        "a receipt of another issuer": {"iss": "https://other.example"},
    }
    for what, members in cases.items():
        await stage.lied_to(
            what,
            Lie(receipt=partial(stage.platform.scribe.bent, **members)),
        )


async def contradicting_view(stage: Stage) -> None:
    """The reading names another person than the receipt, or a success that the receipt does not know."""
    await stage.control(Door.QR)
    other = Lie(view=partial(_closed, subject={"person_ref": OTHER}))
    await stage.lied_to("another person in the reading", other)
    refusal = {"outcome": Outcome.REFUSED, "reason": "user_refused"}
    await stage.lied_to(
        "a receipt of a refusal beside a reading of success",
        Lie(
            receipt=lambda play: stage.platform.scribe.bent(
                play, subject=None, commitments=None, **refusal
            )
        ),
    )


async def alg_confusion(stage: Stage) -> None:
    """Tokens that bring their own algorithm or key."""
    await stage.control(Door.QR)
    scribe, good = stage.platform.scribe, stage.platform.root.receipts
    own = new_key()
    public = spki_der(parse_certificate(good.der).public_key)

    def none(play: Play) -> str:
        return f"{signing_input(head_of(good, alg='none'), scribe.payload(play))}."

    def hs256(play: Play) -> str:
        message = signing_input(head_of(good, alg="HS256"), scribe.payload(play))
        digest = hmac.new(public, message.encode(), hashlib.sha256).digest()
        return f"{message}.{base64url.encode(digest)}"

    def rs256(play: Play) -> str:
        head, payload = head_of(good, alg="RS256"), scribe.payload(play)
        return f"{signing_input(head, payload)}.{es256(head, payload, good.key)}"

    def own_key(play: Play) -> str:
        members = jwk.to_jwk(own.public_key())
        return token(scribe.payload(play), Signer(own, good.der), jwk=members)

    cases = {"alg none": none, "HS256 under the public key": hs256}
    cases |= {"RS256 over a P-256 key": rs256, "a key in the header": own_key}
    for what, receipt in cases.items():
        await stage.lied_to(what, Lie(receipt=receipt))


async def low_level(stage: Stage) -> None:
    """The answer is bound less than the relying party demanded; the platform does not mind."""
    login = await stage.control(Door.WEB_LINK)
    demanded = login.play.order.binding_min
    if demanded is None or demanded not in set(BindingLevel) or BindingLevel(demanded).rank < 3:
        raise Unproved("a session by web_link does not demand binding_min returned")
    weak = {"level": "none", "evidence": []}

    def receipt(play: Play) -> str:
        return stage.platform.scribe.bent(play, binding=weak)

    told = Lie(view=partial(_closed, binding=weak), receipt=receipt)
    await stage.lied_to("binding none in reading and receipt", told, door=Door.WEB_LINK)
    hidden = Lie(receipt=receipt)
    await stage.lied_to("binding none in the receipt alone", hidden, door=Door.WEB_LINK)


async def unknown_answer(stage: Stage) -> None:
    """States, outcomes and reasons that this version does not know, or none at all."""
    await stage.control(Door.QR)
    cases: dict[str, View] = {
        "an unknown state": {"state": "approved"},
        "an unknown outcome": {"outcome": "ok_with_remarks"},
        "an unknown outcome with an unknown reason": {"outcome": "partial", "reason": "zzz_new"},
        "no outcome": {"outcome": None},
        "failed with an unknown reason": {"outcome": "failed", "reason": "zzz_new"},
    }
    for what, members in cases.items():
        await stage.lied_to(what, Lie(view=partial(_closed, **members)))


async def cancelled_session(stage: Stage) -> None:
    """A session that ended otherwise, with everything of a success beside it."""
    await stage.control(Door.QR)
    for state in ("cancelled", "expired"):
        await stage.lied_to(
            f"{state} with outcome ok",
            Lie(view=partial(_closed, state=state)),
        )
    login = await stage.begin(Door.QR)
    stage.platform.cancel(login.play)
    await stage.refuse(login.browser, "cancelled")


async def _signed_by(stage: Stage, what: str, signer: Signer) -> None:
    scribe = stage.platform.scribe
    await stage.lied_to(what, Lie(receipt=lambda play: token(scribe.payload(play), signer)))


def _closed(view: View, /, **members: Any) -> View:
    """A reading of a closed session with members changed; readings before stay true."""
    return view | members if view["state"] == "closed" else view
