"""Every byte and every circumstance of both proofs: bent in one place, refused, and nothing is consumed."""

from typing import Any

import msgspec
import pytest

from identification.answers import NONCE, Bent, frame_of, honest
from identification.callers import CHALLENGE, PhoneCaller, SystemCaller, code_of
from inkan.client import Phone
from inkan.crypto import base64url
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import KeySpec, generate
from inkan.wire import statement as statements
from support.world import World

OTHER_HASH = base64url.encode(b"o" * 32)
CONTENT = {"id": "a", "name": "a", "digest": OTHER_HASH, "alg": "sha-256", "format": "statement"}
# Each member of the draft, in another admissible form.
OTHER: dict[str, Any] = {
    "iss": "http://id2.localhost:8480",
    "kind": "approve",
    "session": "ses_other",
    "system": "sys_other",
    "relying_party": {"id": "org_other", "name": "Tax Office", "domain": "tax.example"},
    "purpose": "file_return",
    "shown": {"template": "identify.v1", "lang": "en", "text_sha256": OTHER_HASH},
    "claims": ["address"],
    "challenge": OTHER_HASH,
    "contents": [CONTENT | {"tbs_sha256": None}],
    "door": "push",
    "return_origin": "https://tax.example",
    "cert_sha256": OTHER_HASH,
    "cred_sha256": OTHER_HASH,
    "server_nonce": OTHER_HASH,
    "at": "2026-04-01T01:00:01Z",
}
FIXED_FORM = {"v", "decision"}


def differing(draft: dict[str, Any], member: str) -> bytes:
    members = draft | {"phone_nonce": NONCE, member: OTHER[member]}
    if member == "kind":
        members["shown"] = draft["shown"] | {"template": "approve.v1"}
    if member == "shown":
        members["shown"] = draft["shown"] | {"text_sha256": OTHER_HASH}
    if member == "contents":
        members |= {"kind": "approve", "shown": draft["shown"] | {"template": "approve.v1"}}
    return statements.STATEMENT.encode(msgspec.convert(members, statements.Statement))


@pytest.fixture
async def held(system: SystemCaller, phone: Phone):
    made = await system.created()
    return await phone.open_frame(frame_of(made["doors"]["qr"]))


async def test_a_statement_that_differs_in_any_member_is_refused(
    caller: PhoneCaller, phone: Phone, held
):
    assert OTHER.keys() | FIXED_FORM == set(statements.Draft.__struct_fields__)
    draft = msgspec.json.decode(held.draft)
    answers = {}
    for member in OTHER:
        body = Bent(phone=phone, held=held, payload=differing(draft, member)).body()
        answer = await caller.decide(held.id, body)
        answers[member] = (*code_of(answer), answer.json()["field"])
    # Some members cannot change alone: the first one that differs is named.
    named = dict.fromkeys(OTHER) | {name: name for name in OTHER} | {"contents": "kind"}
    assert answers == {name: (409, "statement_differs", named[name]) for name in OTHER}
    assert (await caller.decide(held.id, honest(phone, held))).status_code == 200


async def test_a_statement_in_another_form_is_refused(caller: PhoneCaller, phone: Phone, held):
    good = Bent(phone=phone, held=held).statement()
    bent = {
        "space": good.replace(b'"at":', b'"at": '),
        "order": b'{"v":1,' + good.removeprefix(b"{").replace(b',"v":1}', b"}"),
        "twice": good.replace(b'{"at":', b'{"at":"2026-04-01T01:00:00Z","at":'),
        "escape": good.replace(b'"approve"', b'"\\u0061pprove"'),
        "version": good.replace(b'"v":1', b'"v":2'),
        "decision": good.replace(b'"approve"', b'"refuse"'),
        "draft": held.draft,
        "nothing": b"",
        "array": b"[]",
        "cut": good[:-1],
    }
    for name, payload in bent.items():
        assert payload != good, name
        body = Bent(phone=phone, held=held, payload=payload or b" ").body()
        status, code = code_of(await caller.decide(held.id, body))
        assert (status, code in {"statement_malformed", "json_not_canonical"}) == (400, True), (
            name,
            code,
        )


async def test_the_signature_is_by_this_key_this_certificate_and_this_algorithm(
    world: World, caller: PhoneCaller, phone: Phone, held
):
    rsa, ec = generate(KeySpec.RSA2048), generate(KeySpec.P256)
    bent = {
        "another key": Bent(phone=phone, held=held, key=rsa),
        "another kind of key": Bent(phone=phone, held=held, key=ec, alg=Algorithm.ES256),
        "PKCS #1 v1.5, which the scheme does not list": Bent(
            phone=phone, held=held, alg=Algorithm.RS256
        ),
        "another certificate": Bent(phone=phone, held=held, x5t=OTHER_HASH),
    }
    for name, each in bent.items():
        answer = await caller.decide(held.id, each.body())
        assert (*code_of(answer), answer.json()["proof"]) == (
            403,
            "proof_refused",
            "statement",
        ), name
    wrong_type = await caller.decide(
        held.id, Bent(phone=phone, held=held, typ="inkan-receipt+jws").body()
    )
    assert code_of(wrong_type)[0] == 400


async def test_the_sign_key_does_not_answer_an_identification(
    caller: PhoneCaller, phone: Phone, held
):
    from inkan.client import certificate_keys
    from inkan.wire.enrolment_request import KeyUse

    parts = phone._parts
    _, prf = parts.assert_user(bytes(32))
    key = certificate_keys.unwrap(parts.bound.keys[KeyUse.SIGN], prf)
    answer = await caller.decide(held.id, Bent(phone=phone, held=held, key=key).body())
    assert code_of(answer) == (403, "proof_refused")


async def test_the_assertion_is_over_this_statement_at_this_origin_by_this_verified_person(
    caller: PhoneCaller, phone: Phone, held
):
    bent = {
        "another challenge": Bent(phone=phone, held=held, challenge=b"c" * 32),
        "another origin": Bent(phone=phone, held=held, origin="http://wallet.localhost:8481"),
        "another rp id": Bent(
            phone=phone, held=held, rp_id="localhost", origin="http://wallet.localhost:8480"
        ),
        "without user verification": Bent(phone=phone, held=held, user_verified=False),
    }
    bodies = {}
    for name, each in bent.items():
        if name == "another rp id":
            continue
        bodies[name] = each.body()
    swapped = honest(phone, held)
    swapped["assertion"] = honest(phone, held)["assertion"]
    bodies["another statement's assertion"] = swapped
    for name, body in bodies.items():
        answer = await caller.decide(held.id, body)
        assert (*code_of(answer), answer.json()["proof"]) == (
            403,
            "proof_refused",
            "assertion",
        ), name
    assert (await caller.decide(held.id, honest(phone, held))).status_code == 200


async def test_another_rp_id_is_refused(caller: PhoneCaller, phone: Phone, held):
    body = Bent(phone=phone, held=held).body()
    data = bytearray(base64url.decode(body["assertion"]["authenticator_data"]))
    data[0] ^= 1
    credential = phone._parts.authenticator.state.credentials[-1]
    from inkan.client.authenticator import _sign

    client_data = base64url.decode(body["assertion"]["client_data_json"])
    body["assertion"]["authenticator_data"] = base64url.encode(bytes(data))
    body["assertion"]["signature"] = base64url.encode(_sign(credential, bytes(data), client_data))
    answer = await caller.decide(held.id, body)
    assert (*code_of(answer), answer.json()["proof"]) == (403, "proof_refused", "assertion")


async def test_another_phones_proofs_decide_nothing(
    world: World, caller: PhoneCaller, phone: Phone, held
):
    stranger = await world.bind("lin")
    draft = held
    body = Bent(phone=phone, held=draft).body()
    body["assertion"] = msgspec.to_builtins(
        stranger._parts.assert_user(
            statements.statement_challenge(Bent(phone=phone, held=held).statement())
        )[0]
    )
    answer = await caller.decide(held.id, body)
    assert code_of(answer) == (403, "proof_refused")
    assert CHALLENGE  # the session's own challenge is not what an assertion is made over
