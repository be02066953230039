"""DPoP proofs, by the numbers of RFC 9449 §4.3."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import dpop, jose, jwk, keys
from inkan.crypto.dpop import DPoPNonceRefused, DPoPProofRefused
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import KeySpec, PrivateKey
from inkan.kernel.clock import from_seconds
from inkan.kernel.errors import InkanError

KEY = keys.generate(KeySpec.P256)
OTHER = keys.generate(KeySpec.P256)
RSA = keys.generate(KeySpec.RSA2048)
NOW = datetime(2026, 11, 21, 22, 55, 4, tzinfo=UTC)
URL = "https://id.localhost:8443/phone/v1/approvals/open"
CLAIMS: dict[str, Any] = {
    "jti": "0123456789abcdef",
    "htm": "POST",
    "htu": URL,
    "iat": int(NOW.timestamp()),
}
EXAMPLE = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNo"
    "UklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERW"
    "clUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh"
    "0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8"
    "v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
)


def make(
    claims: object = CLAIMS,
    *,
    key: PrivateKey = KEY,
    alg: Algorithm = Algorithm.ES256,
    typ: str = dpop.TYP,
    **header: Any,
) -> str:
    """A proof with any claims and header, truly signed."""
    payload = claims if isinstance(claims, bytes) else msgspec.json.encode(claims)
    members = {"jwk": jwk.to_jwk(key.public_key()), **header}
    members = {name: value for name, value in members.items() if value is not None}
    return jose.sign_compact(payload, key, alg=alg, typ=typ, header=members)


def verify(proof: str, **options: Any) -> dpop.Proof:
    return dpop.verify_proof(proof, **{"method": "POST", "url": URL, "now": NOW, **options})


def test_a_proof_says_whose_it_is_and_when() -> None:
    proof = verify(make())
    assert proof.key == KEY.public_key()
    assert proof.jkt == jwk.thumbprint(KEY.public_key())
    assert (proof.jti, proof.at) == ("0123456789abcdef", NOW)


def test_what_is_built_verifies_for_its_request_only() -> None:
    options = {"access_token": "token", "nonce": "nonce"}
    proof = dpop.build_proof(KEY, method="GET", url=f"{URL}?wait=30#x", at=NOW, **options)
    request = {"method": "GET", "url": f"{URL}?wait=120", **options}
    assert verify(proof, **request).jkt == jwk.thumbprint(KEY.public_key())
    for change in [{"method": "POST"}, {"url": URL + "/"}, {"access_token": None}]:
        with pytest.raises(DPoPProofRefused):
            verify(proof, **{**request, **change})


def test_each_proof_has_a_fresh_jti() -> None:
    built = {dpop.build_proof(KEY, method="GET", url=URL, at=NOW) for _ in range(20)}
    assert len({verify(proof, method="GET").jti for proof in built}) == 20


def test_the_examples_of_rfc_9449() -> None:
    at = from_seconds(1562262616)
    proof = verify(EXAMPLE, url="https://server.example.com/token", now=at)
    assert proof.jkt == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
    token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
    assert dpop.token_hash(token) == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in CLAIMS.items() if key != name}


PRIVATE = {**jwk.to_jwk(KEY.public_key()), "d": "AAAA"}

# Step of the plan, what is wrong, the proof.
REFUSED: list[tuple[int, str, str]] = [
    (2, "two tokens", f"{make()}, {make()}"),
    (2, "no token", "proof"),
    (2, "a member besides", make(kid="x")),
    (2, "a duplicate claim", make(msgspec.json.encode(CLAIMS)[:-1] + b',"htm":"GET"}')),
    (2, "oversized", make({**CLAIMS, "pad": "x" * 4096})),
    (3, "no jti", make(without("jti"))),
    (3, "no htm", make(without("htm"))),
    (3, "no htu", make(without("htu"))),
    (3, "no iat", make(without("iat"))),
    (3, "iat as text", make({**CLAIMS, "iat": str(CLAIMS["iat"])})),
    (3, "iat true", make({**CLAIMS, "iat": True})),
    (3, "iat with fraction", make({**CLAIMS, "iat": CLAIMS["iat"] + 0.5})),
    (3, "jti of 15 characters", make({**CLAIMS, "jti": "x" * 15})),
    (3, "jti of 129 characters", make({**CLAIMS, "jti": "x" * 129})),
    (3, "jti outside ASCII", make({**CLAIMS, "jti": "é" * 16})),
    (3, "claims in an array", make([CLAIMS])),
    (4, "another type", make(typ="JWT")),
    (5, "RS256", make(key=RSA, alg=Algorithm.RS256)),
    (5, "PS256", make(key=RSA, alg=Algorithm.PS256)),
    (6, "another key in jwk", make(jwk=jwk.to_jwk(OTHER.public_key()))),
    (6, "a P-384 key in jwk", make(jwk=jwk.to_jwk(keys.generate(KeySpec.P384).public_key()))),
    (7, "a private key in jwk", make(jwk=PRIVATE)),
    (7, "no key in jwk", make(jwk={})),
    (7, "no jwk", jose.sign_compact(b"{}", KEY, alg=Algorithm.ES256, typ=dpop.TYP)),
    (8, "another method", make({**CLAIMS, "htm": "GET"})),
    (8, "the method in other letters", make({**CLAIMS, "htm": "post"})),
    (9, "another path", make({**CLAIMS, "htu": URL + "/x"})),
    (9, "another host", make({**CLAIMS, "htu": URL.replace("id.", "sandbox.")})),
    (9, "another scheme", make({**CLAIMS, "htu": URL.replace("https", "http")})),
    (9, "with a query", make({**CLAIMS, "htu": f"{URL}?a=1"})),
    (9, "with a fragment", make({**CLAIMS, "htu": f"{URL}#a"})),
    (9, "the host in capitals", make({**CLAIMS, "htu": URL.replace("id.", "ID.")})),
    (11, "61 s old", make({**CLAIMS, "iat": CLAIMS["iat"] - 61})),
    (11, "6 s ahead", make({**CLAIMS, "iat": CLAIMS["iat"] + 6})),
    (11, "beyond all time", make({**CLAIMS, "iat": 10**30})),
    (12, "ath without a token", make({**CLAIMS, "ath": dpop.token_hash("token")})),
]


@pytest.mark.parametrize(
    ("step", "name", "proof"), REFUSED, ids=[f"{n}: {t}" for n, t, _ in REFUSED]
)
def test_each_step_of_the_plan_refuses(step: int, name: str, proof: str) -> None:
    with pytest.raises(DPoPProofRefused):
        verify(proof)


@pytest.mark.parametrize("age", [-5, 0, 60])
def test_the_window_includes_its_edges(age: int) -> None:
    assert verify(make({**CLAIMS, "iat": CLAIMS["iat"] - age}), now=NOW + timedelta(microseconds=9))


@pytest.mark.parametrize("length", [16, 128])
def test_the_length_of_jti_includes_its_edges(length: int) -> None:
    assert len(verify(make({**CLAIMS, "jti": "x" * length})).jti) == length


def test_the_access_token_must_be_the_one_that_was_hashed() -> None:
    proof = make({**CLAIMS, "ath": dpop.token_hash("token")})
    assert verify(proof, access_token="token")
    for attempt, token in [
        (proof, "other"),
        (make(), "token"),
        (make({**CLAIMS, "ath": ""}), "token"),
    ]:
        with pytest.raises(DPoPProofRefused):
            verify(attempt, access_token=token)


def test_a_nonce_that_was_handed_out_must_come_back() -> None:
    assert verify(make({**CLAIMS, "nonce": "n1"}), nonce="n1")
    assert verify(make({**CLAIMS, "nonce": "old"}))
    for proof in (make(), make({**CLAIMS, "nonce": "n2"})):
        with pytest.raises(DPoPNonceRefused):
            verify(proof, nonce="n1")


GOOD = make()


@given(
    st.text(max_size=60)
    | st.integers(0, len(GOOD)).flatmap(
        lambda at: st.text(max_size=3).map(lambda text: GOOD[:at] + text + GOOD[at + len(text) :])
    )
)
def test_any_text_is_the_good_proof_or_a_refusal(text: str) -> None:
    try:
        verify(text)
    except InkanError:
        return
    assert text == GOOD
