"""How the RP API is called: a proof of its own for each try, what is sent again and what is not, rates."""

from types import SimpleNamespace

import pytest

from inkan.client import http, repeating
from inkan.client.exchange import (
    CallGone,
    CallNotFound,
    CallTooMany,
    CallUnauthenticated,
    CallUnavailable,
    PlatformUnreachable,
)
from inkan.client.repeating import NO_PATIENCE
from inkan.client.rp_calls import SystemCredentials
from inkan.crypto import jwk, keys
from inkan.crypto.keys import KeyMalformed, KeySpec, KeyUnsupported
from inkan.kernel.sensitive import Secret
from support.keyring import ec_key, rsa_key
from support.rp_platform import answer

SESSION = "/v1/sessions/ses_1"


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, none of which lasts."""
    made: list[float] = []

    async def sleep(seconds: float) -> None:
        made.append(seconds)

    monkeypatch.setattr(http, "asyncio", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr(http, "time", SimpleNamespace(sleep=made.append))
    monkeypatch.setattr(repeating, "chance", lambda: 0.5)
    return made


def limited(**headers: str):
    refused = answer(429, {"code": "rate_exceeded"}, "application/problem+json")
    refused.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return refused


def count(side, path: str) -> int:
    return [called for _, called in side.platform.calls].count(path)


def test_every_try_has_a_proof_of_its_own_and_the_same_key(side, pauses):
    # The stand-in refuses a proof or an assertion that comes twice.
    side.platform.lose["/v1/sessions"] = 1
    side.platform.answers["/v1/sessions"] = [limited(retry_after="7")]
    side.session()
    assert count(side, "/v1/sessions") == 2
    assert pauses == [0.2]
    assert len(side.platform.sessions) == 1


def test_a_used_up_rate_is_waited_for(side, pauses):
    side.platform.answers["/v1/sessions"] = [limited(retry_after="7"), limited(retry_after="1")]
    side.session()
    assert pauses == [7.25, 1.25]
    assert len(side.platform.sessions) == 1


def test_a_rate_that_is_used_up_for_long_is_the_callers_matter(side, pauses):
    side.platform.answers["/v1/sessions"] = [limited(retry_after="60")]
    with pytest.raises(CallTooMany) as refused:
        side.session()
    assert refused.value.problem.retry_after_s == 60
    assert pauses == []


def test_the_token_is_waited_for_too(side, pauses):
    plain = side.platform._token
    replies = [limited(retry_after="2")]
    side.platform._token = lambda *parts: replies.pop() if replies else plain(*parts)
    side.session()
    assert pauses == [2.25]


@pytest.mark.parametrize("what", ["door", "redeem", "cancel"])
def test_what_must_not_happen_twice_is_sent_once(side, pauses, what):
    session = side.session()
    steps = {
        "door": ("/doors/push", lambda: session.make_door("push")),
        "redeem": ("/redeem", lambda: session.redeem(Secret("v"), return_code="c")),
        "cancel": ("/cancel", session.cancel),
    }
    path, step = steps[what]
    side.platform.answers[SESSION + path] = [answer(503, {"code": "unavailable"})]
    with pytest.raises(CallUnavailable):
        side.do(step())
    side.platform.lose[SESSION + path] = 1
    side.platform.answers[SESSION + path] = [answer(410, {"code": "approval_ended"})]
    with pytest.raises(PlatformUnreachable):
        side.do(step())
    assert count(side, SESSION + path) == 2
    assert pauses == []


def test_a_refused_rate_is_the_only_thing_after_which_it_is_sent_again(side, pauses):
    session = side.session()
    path = f"{SESSION}/redeem"
    side.platform.answers[path] = [
        limited(ratelimit='"calls";r=0;t=3'),
        answer(410, {"code": "approval_ended"}),
    ]
    with pytest.raises(CallGone):
        side.do(session.redeem(Secret("v")))
    assert count(side, path) == 2
    assert pauses == [3.25]


def test_a_lost_token_does_not_keep_a_redemption_from_being_sent(side, pauses):
    session = side.session()
    side.clock.seconds += 10_000
    side.platform.lose["/token"] = 2
    side.platform.answers[f"{SESSION}/redeem"] = [answer(200, side.platform.view(state="closed"))]
    assert side.do(session.redeem(Secret("v"))).is_ok
    assert pauses == [0.2, 1.0]


def test_who_has_no_patience_hears_it_at_once(side, pauses):
    side.platform.lose["/v1/sessions"] = 1
    with pytest.raises(PlatformUnreachable):
        side.do(side.party(patience=NO_PATIENCE).create_session("identify", purpose="login"))
    assert pauses == []


def test_what_is_left_of_a_rate_is_told(side):
    party = side.party()
    told = answer(201, {"session": side.platform.view(), "doors": {}})
    told.headers["ratelimit"] = '"sessions";r=41;t=2'
    side.platform.answers["/v1/sessions"] = [told]
    side.do(party.create_session("identify", purpose="login"))
    assert party.rates["sessions"].remaining == 41
    assert party.rates["sessions"].full_after_s == 2


def test_an_id_from_a_browser_stays_inside_its_route(side):
    asked = []

    def resource(request, _):
        asked.append(request.url.raw_path)
        return answer(404, {"code": "session_not_found"})

    side.platform._resource = resource
    for named in ("../token", "..", "ses_1/receipt", "ses_1?wait=9"):
        with pytest.raises(CallNotFound):
            side.do(side.party().get_session(named))
    assert asked == [
        b"/v1/sessions/%2E%2E%2Ftoken",
        b"/v1/sessions/%2E%2E",
        b"/v1/sessions/ses_1%2Freceipt",
        b"/v1/sessions/ses_1%3Fwait%3D9",
    ]


def test_a_key_that_is_refused_is_refused(side):
    session = side.session()
    side.platform._token = lambda *_: answer(401, {"error": "invalid_client"})
    side.clock.seconds += 10_000
    with pytest.raises(CallUnauthenticated):
        side.do(session.refresh())


# --- credentials ------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [ec_key(21), rsa_key(2)], ids=["P-256", "RSA-2048"])
@pytest.mark.parametrize("passphrase", [None, "合言葉"])
def test_credentials_come_from_a_file(tmp_path, key, passphrase):
    from cryptography.hazmat.primitives import serialization as forms

    protection = (
        forms.BestAvailableEncryption(passphrase.encode()) if passphrase else forms.NoEncryption()
    )
    path = tmp_path / "key.pem"
    path.write_bytes(key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, protection))
    secret = Secret(passphrase) if passphrase else None
    found = SystemCredentials.load("https://id.example.org", "tax", path, passphrase=secret)
    assert found.key.public_key() == key.public_key()
    assert jwk.load_jwk(found.public_jwk) == key.public_key()
    assert "d" not in found.public_jwk
    with pytest.raises(KeyMalformed):
        SystemCredentials.load("https://id.example.org", "tax", path, passphrase=Secret("other"))


def test_what_is_no_key_is_refused(tmp_path):
    from cryptography.hazmat.primitives import serialization as forms
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = tmp_path / "key.pem"
    path.write_bytes(b"no key")
    with pytest.raises(KeyMalformed):
        SystemCredentials.load("https://id.example.org", "tax", path)
    path.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(
            forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()
        )
    )
    with pytest.raises(KeyUnsupported):
        SystemCredentials.load("https://id.example.org", "tax", path)
    assert keys.key_spec(ec_key(21)) is KeySpec.P256
