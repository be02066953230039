"""The byte formats in JavaScript: the golden vectors, and canonical JSON against the Python side."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inkan.crypto import base64url, jcs
from inkan.wire.binding import StatementDoor
from inkan.wire.forms import MomentMalformed, UnsafeText, parse_moment
from inkan.wire.shown import Language, Template, render
from inkan.wire.wallet_tables import wallet_tables
from support.node import Node, NodeError
from support.repository import ROOT

SHARED = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
TABLES = wallet_tables()


def vectors(name: str) -> dict[str, Any]:
    return json.loads((ROOT / "tests" / "vectors" / "wire" / f"{name}.json").read_text("utf-8"))


# --- bytes and canonical JSON -------------------------------------------------------------------------


@SHARED
@given(data=st.binary(max_size=200))
def test_base64url_is_the_python_sides(node: Node, data: bytes) -> None:
    text = node.call("bytes", "encode", data)
    assert text == base64url.encode(data)
    assert node.call("bytes", "decode", text) == data


@pytest.mark.parametrize(
    "text", ["A", "AB", "AAB", "AA==", "A A", "A+", "A/", "AAA\n", "ÄA", "A" * 5]
)
def test_a_second_spelling_of_bytes_is_refused(node: Node, text: str) -> None:
    with pytest.raises(NodeError) as refused:
        node.call("bytes", "decode", text)
    assert refused.value.code == "base64url_malformed"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-jcs.MAX_INTEGER, jcs.MAX_INTEGER)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@SHARED
@given(value=JSON)
def test_canonical_json_is_the_python_sides(node: Node, value: Any) -> None:
    assert node.call("jcs", "canonical", {"v": value}) == jcs.canonical({"v": value})


# RFC 8785 §3.2.2.2 and §3.2.3: escapes, and names in the order of their code units
EDGES = {
    "literals": '{"a":null,"b":true,"c":[]}',
    "escapes": '{"s":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/\\b\\f\\r\\t\\u001f\x7f"}',
    "order": '{"":1,"$":2,"1":3,"10":4,"9":5,"A":6,"_":7,"a":8,"aa":9}',
    "largest": '{"n":9007199254740991,"m":-9007199254740991,"z":0}',
    "far characters": '{"s":"\U0002000b\u2028\u2029é"}',
}


@pytest.mark.parametrize("name", EDGES)
def test_edges_of_canonical_json(node: Node, name: str) -> None:
    value = json.loads(EDGES[name])
    data = jcs.canonical(value)
    assert node.call("jcs", "canonical", value) == data
    assert node.call("jcs", "parseCanonical", data, 1000) == value


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1.5}', b'{"a":1.0}', b'{"a":1e3}', b'{"a":-0}', b'{"a":9007199254740992}',
        b'{"a":9007199254740993}', b'{"b":1,"a":2}', b'{"a":1,"a":1}', b'{"a": 1}', b'{"a":"\\u0041"}',
        b'{"a":"\\/"}', b"[1]", b'"a"', b"", b"{", b'{"\xc3\xa9":1}', b'{"a":"\xff"}', b'\xef\xbb\xbf{"a":1}',
        b'{"a":"\\ud800"}', b'{"a":' + b"[" * 17 + b"]" * 17 + b"}",
    ],
)  # fmt: skip
def test_what_is_not_canonical_is_refused_by_both_sides(node: Node, data: bytes) -> None:
    with pytest.raises((jcs.NotCanonical, jcs.JSONTooLarge)):
        jcs.parse_canonical(data)
    with pytest.raises(NodeError) as refused:
        node.call("jcs", "parseCanonical", data, 1000)
    assert refused.value.code == "json_not_canonical"


def test_more_bytes_than_allowed_are_not_parsed(node: Node) -> None:
    with pytest.raises(NodeError):
        node.call("jcs", "parseCanonical", b'{"a":1}', 6)


# --- the shown text -----------------------------------------------------------------------------------


def facts(vector: dict[str, Any]) -> dict[str, Any]:
    given = vector["arguments"]
    return {
        "template": vector["template"],
        "lang": vector["lang"],
        "relyingParty": given["relying_party"],
        "domain": given["domain"],
        "purposeText": given["purpose_text"],
        "door": given["door"],
        "contents": given["contents"],
        "claims": given["claims"],
        "fullEvidence": given["full_evidence"],
    }


@pytest.mark.req("TW-51")
def test_texts_are_rendered_as_the_vectors_say(node: Node) -> None:
    valid = vectors("shown")["valid"]
    assert {(v["template"], v["lang"]) for v in valid} >= {
        (template, lang) for template in TABLES["kinds"] for lang in TABLES["labels"]
    }
    for vector in valid:
        text = node.call("shown", "render", facts(vector), TABLES)
        assert text == vector["text"]
        assert node.call("shown", "textSHA256", text) == vector["text_sha256"]


def test_texts_that_would_lie_are_refused_as_the_vectors_say(node: Node) -> None:
    invalid = vectors("shown")["invalid"]
    assert invalid
    for vector in invalid:
        with pytest.raises(NodeError) as refused:
            node.call("shown", "render", facts(vector), TABLES)
        assert refused.value.code == vector["error"], vector["name"]


LINE = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text(
    st.sampled_from("a 王\t\n\x85\u00a0\u2028\u3000\ufeff\u200b\u180e\U000e0041\U0002000b："),
    max_size=8,
)


@SHARED
@given(relying_party=LINE, purpose_text=LINE, lang=st.sampled_from(Language))
def test_any_names_are_rendered_or_refused_as_on_the_python_side(
    node: Node, relying_party: str, purpose_text: str, lang: Language
) -> None:
    arguments = {
        "relying_party": relying_party,
        "domain": "tax.example.org",
        "purpose_text": purpose_text,
        "door": "qr",
        "contents": [],
        "claims": [],
        "full_evidence": False,
    }
    given_ = facts({"template": "identify.v1", "lang": str(lang), "arguments": arguments})
    try:
        text = render(Template.IDENTIFY_V1, lang, **arguments | {"door": StatementDoor.QR})
    except UnsafeText:
        with pytest.raises(NodeError) as refused:
            node.call("shown", "render", given_, TABLES)
        assert refused.value.code == "unsafe_text"
    else:
        assert node.call("shown", "render", given_, TABLES) == text


@SHARED
@given(
    text=st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z")
    | st.datetimes().map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}Z".rjust(20, "0"))
)
def test_moments_are_the_python_sides(node: Node, text: str) -> None:
    try:
        parse_moment(text)
    except MomentMalformed:
        with pytest.raises(NodeError):
            node.call("forms", "moment", text, "", TABLES)
    else:
        node.call("forms", "moment", text, "", TABLES)


# --- statement and draft ------------------------------------------------------------------------------


def test_statements_are_the_vectors_bytes(node: Node) -> None:
    for vector in vectors("statement")["valid"]:
        draft = node.call("statement", "readDraft", json.loads(vector["draft"]), TABLES)
        own = {
            "phoneNonce": base64url.decode(vector["phone_nonce"]),
            "textSHA256": vector["text_sha256"],
        }
        data = node.call("statement", "statementBytes", draft, own)
        assert data.decode() == vector["statement"], vector["name"]
        challenge = node.call("statement", "statementChallenge", data)
        assert base64url.encode(challenge) == vector["challenge"]


def test_statements_of_another_form_are_refused_as_the_vectors_say(node: Node) -> None:
    """The vectors bend whole statements; what the phone reads is the draft in them."""
    seen = 0
    for vector in vectors("statement")["invalid"]:
        try:
            members = json.loads(vector["utf8"])
        except (KeyError, ValueError):
            continue
        if not isinstance(members, dict) or vector["error"] != "statement_malformed":
            continue
        if (
            not isinstance(members.pop("phone_nonce", None), str)
            or "phone_nonce" in vector["where"]
        ):
            continue
        seen += 1
        with pytest.raises(NodeError) as refused:
            node.call("statement", "readDraft", members, TABLES)
        assert refused.value.code == "document_malformed", vector["name"]
    assert seen > 20


# --- enrolment contents and digits --------------------------------------------------------------------


@pytest.mark.req("TW-28")
def test_enrolment_contents_and_digits_are_the_vectors(node: Node) -> None:
    for vector in vectors("enrolment")["bind"]:
        content = node.call("enrolment_content", "parseBind", vector["content"].encode(), TABLES)
        assert content == json.loads(vector["content"])
        hashes = content | {"keys": [key["spki_sha256"] for key in content["keys"]]}
        assert node.call("enrolment_content", "digitsOf", hashes) == vector["pairing_digits"]


def test_renewals_are_the_vectors(node: Node) -> None:
    found = vectors("enrolment")
    for vector in found["renew"]:
        data = node.call("enrolment_content", "renewBytes", json.loads(vector["content"]), TABLES)
        assert data.decode() == vector["content"]
        challenge = node.call("enrolment_content", "renewChallenge", data)
        assert base64url.encode(challenge) == vector["challenge"]


def test_contents_of_another_form_are_refused_as_the_vectors_say(node: Node) -> None:
    invalid = [vector for vector in vectors("enrolment")["invalid"]["bind"] if "utf8" in vector]
    assert len(invalid) > 10
    for vector in invalid:
        with pytest.raises(NodeError) as refused:
            node.call("enrolment_content", "parseBind", vector["utf8"].encode(), TABLES)
        assert refused.value.code in {"document_malformed", "json_not_canonical"}, vector["name"]


# --- scanned codes and links --------------------------------------------------------------------------


@pytest.mark.req("TW-42")
def test_frames_are_read_as_the_vectors_say(node: Node) -> None:
    found = vectors("qr_frame")
    origin = found["wallet_origin"]
    for vector in found["valid"]:
        read = node.call("addresses", "parseFrame", vector["frame"], origin)
        assert (read["handle"], read["t"]) == (found["handle"], vector["t"])
    assert node.call("addresses", "parseFrame", found["enrolment"], origin, "e")["t"] == 100
    for vector in found["invalid"]:
        with pytest.raises(NodeError) as refused:
            node.call("addresses", "parseFrame", vector["utf8"], origin)
        assert refused.value.code == "qr_frame_malformed", vector["name"]


def test_links_are_read_as_the_vectors_say(node: Node) -> None:
    found = vectors("link")
    for vector in found["valid"]:
        read = node.call("addresses", "parseAddress", vector["address"], found["wallet_origin"])
        assert read == vector["handle"]
    for vector in found["invalid"]:
        with pytest.raises(NodeError) as refused:
            node.call("addresses", "parseAddress", vector["utf8"], found["wallet_origin"])
        assert refused.value.code == "link_malformed", vector["name"]
