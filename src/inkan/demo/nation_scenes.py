"""What a nation's authorities do, as scenes of the story: each notes what was checked."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping

from inkan.client.path_verifier import PathVerifier
from inkan.client.timestamps import verify_timestamp
from inkan.crypto import oids, tsp, tsp_token
from inkan.crypto.validation.verdict import Status, Verdict
from inkan.demo.nation import TOKEN_AUTHORITIES, Nation
from inkan.demo.steps import Step
from inkan.pki import CeremonyNotApproved

Scene = Callable[[Nation, Step], Awaitable[None]]

OFFLINE = ("root", "health-root", "bridge")
ACROSS = ("root-to-bridge", "bridge-to-health-root", "window")


async def _rehearsal(nation: Nation, step: Step) -> None:
    try:
        await nation.rehearse(approvals=1)
        step.check("one custodian alone is refused", False)  # noqa: FBT003
    except CeremonyNotApproved:
        step.check("one custodian alone is refused", True)  # noqa: FBT003
    transcript = await nation.rehearse()
    step.check(f"{len(transcript.made)} certificates made and linted", transcript.made)
    step.check("nothing of it was kept", not nation.platform.pki.authorities())


async def _founding(nation: Nation, step: Step) -> None:
    transcript = await nation.found()
    roles = [line.role for line in transcript.made]
    step.check(
        "two roots, a bridge, five issuing authorities, four cross-certificates",
        [roles.count(each) for each in ("root", "bridge", "issuing", "cross")] == [2, 1, 5, 4],
    )
    step.check("approved by cards of two units", len({a.unit for a in transcript.approvals}) == 2)
    labels = set(nation.platform.keys.labels())
    step.check(
        "keys of roots and bridge are offline", not {f"ca.{each}" for each in OFFLINE} & labels
    )
    if nation.has_token:
        keys = nation.platform.keys
        held = keys.places["pkcs11"].labels()  # type: ignore[attr-defined]
        wanted = {f"ca.{each}" for each in TOKEN_AUTHORITIES}
        step.check("keys of card and phone authority lie in a token (SoftHSM)", wanted <= set(held))
        step.check("the other authorities' keys lie in files", "ca.window" in labels - set(held))
    else:
        step.check("no SoftHSM on this machine: issuing keys lie in files", "ca.phone" in labels)


async def _drill(nation: Nation, step: Step) -> None:
    names = await nation.drill()
    step.check("two other shares open the store", sorted(names) == sorted(OFFLINE))
    step.check("each key signed a probe that its certificate verifies", names)


async def _bridge(nation: Nation, step: Step) -> None:
    leaf = await nation.window_certificate()
    found = await _validate(nation, leaf, oids.POLICY_CARD_SIGN)
    step.check("valid from the citizens' root alone, with every list", found.status is Status.VALID)
    step.check("four certificates below the root", len(found.path) >= len(ACROSS) + 1)
    other = await _validate(nation, leaf, oids.POLICY_PHONE_SIGN)
    step.check("a policy that is not mapped does not reach across", other.status is Status.INVALID)


async def _severed(nation: Nation, step: Step) -> None:
    leaf = await nation.window_certificate()
    await nation.hold(
        'kind = "sign-lists"\ntitle = "Inkan test nation"\n'
        'revoke = [{name = "bridge-to-health-root", reason = "cessationOfOperation"}]\n'
    )
    found = await _validate(nation, leaf, oids.POLICY_CARD_SIGN)
    step.check("the bridge ends in its list, and the path with it", found.status is Status.INVALID)


async def _new_root(nation: Nation, step: Step) -> None:
    await nation.hold(
        'kind = "replace-root"\ntitle = "Inkan test nation"\nroot = "root"\nname = "root-2"\n'
    )
    verifier = PathVerifier(
        [nation.certificate("root-2")], known=[nation.certificate("root-2-to-root")]
    )
    lists = [await nation.platform.pki.crl(name) for name in ("root", "root-2")]
    found = verifier.verify(nation.certificate("phone"), at=nation.platform.clock.now(), crls=lists)
    step.check(
        "who trusts the new key alone reaches the old one's authorities",
        found.status is Status.VALID,
    )


async def _timestamp(nation: Nation, step: Step) -> None:
    imprint = hashlib.sha256(b"a document").digest()
    reply = await nation.platform.pki.timestamp(tsp.build_request(imprint, nonce=1985))
    token = tsp_token.parse_reply(reply)
    seen = verify_timestamp(token, imprint, nation.platform.pki.anchors(), nonce=1985)
    step.check("the token is for this imprint and nonce, by a trusted authority", seen.info)


async def _validate(nation: Nation, leaf: bytes, policy: str) -> Verdict:
    pki = nation.platform.pki
    verifier = PathVerifier(
        [nation.certificate("root")],
        policies={policy},
        key_usage={"digitalSignature"},
        known=[nation.certificate(each) for each in ACROSS],
    )
    lists = [await pki.crl(name) for name in ("root", "bridge", "health-root", "window")]
    return verifier.verify(leaf, at=nation.platform.clock.now(), crls=lists)


SCENES: Mapping[str, Scene] = {
    "a ceremony is rehearsed": _rehearsal,
    "a nation is founded": _founding,
    "shares open the offline keys": _drill,
    "a window of another root, over the bridge": _bridge,
    "the bridge is cut": _severed,
    "a root gets a new key": _new_root,
    "a digest is time-stamped": _timestamp,
}
