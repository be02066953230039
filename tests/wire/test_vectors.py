"""The checked-in golden vectors: rebuilt the same, and obeyed by parsers, builders and schemas."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from inkan.crypto import base64url, jcs, jwk
from inkan.crypto.merkle import leaf_hash, verify_inclusion
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Secret
from inkan.wire.audit_log import (
    decision_details,
    details_digest,
    parse_event,
    parse_head,
)
from inkan.wire.binding import Evidence, StatementDoor, level_of
from inkan.wire.conformance_report import parse_report, report_bytes
from inkan.wire.contents import Content
from inkan.wire.enrolment_request import (
    CONTENT_TYPES,
    content_bytes,
    pairing_digits,
    parse_bind,
    parse_renew,
    parse_revoke,
    renew_challenge,
)
from inkan.wire.evidence import assertion_bytes, evidence_bytes, parse_evidence
from inkan.wire.forms import parse_moment
from inkan.wire.link import address, parse_address
from inkan.wire.qr import frame, parse_frame, qr_key, verify_frame
from inkan.wire.receipt import commit, parse_receipt, receipt_bytes, verify_commitment
from inkan.wire.shown import Language, Template, render, text_sha256
from inkan.wire.statement import (
    certificate_sha256,
    credential_sha256,
    difference,
    parse_draft,
    parse_statement,
    statement_bytes,
    statement_challenge,
)
from inkan.wire.wallet_paths import ENROLMENT_PATH
from inkan.wire.webhook import WebhookRequest, open_webhook, parse_webhook, webhook_bytes
from vectors.rebuild import rebuild
from wire import proofs
from wire.validation import is_valid

FOLDER = Path(__file__).parents[1] / "vectors" / "wire"


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return found


def test_the_script_rebuilds_the_checked_in_files() -> None:
    built = rebuild()
    assert {path.name for path in FOLDER.iterdir()} == set(built)
    for name, text in built.items():
        assert (FOLDER / name).read_text("utf-8") == text, f"{name}: run tests/vectors/rebuild.py"


def test_every_file_says_where_it_comes_from() -> None:
    for path in FOLDER.iterdir():
        vectors = json.loads(path.read_text("utf-8"))
        assert vectors["origin"] == "made by the Inkan project"
        assert vectors["licence"] == "Apache-2.0"
        assert vectors["about"]


def parse_wallet_frame(data: bytes) -> Any:
    return parse_frame(data.decode(), origin="https://wallet.example.gov.tw")


def parse_wallet_address(data: bytes) -> Any:
    return parse_address(data.decode(), origin="https://wallet.example.gov.tw")


NEGATIVES: dict[str, tuple[Callable[[bytes], Any], list[dict[str, Any]]]] = {
    "statement": (parse_statement, load("statement")["invalid"]),
    "bind_content": (parse_bind, load("enrolment")["invalid"]["bind"]),
    "renew_content": (parse_renew, load("enrolment")["invalid"]["renew"]),
    "revoke_content": (parse_revoke, load("enrolment")["invalid"]["revoke"]),
    "receipt": (parse_receipt, load("receipt")["invalid"]),
    "audit_event": (parse_event, load("audit_log")["invalid"]["audit_event"]),
    "audit_head": (parse_head, load("audit_log")["invalid"]["audit_head"]),
    "evidence": (parse_evidence, load("evidence")["invalid"]),
    "conformance_report": (parse_report, load("conformance_report")["invalid"]),
    "qr_frame": (parse_wallet_frame, load("qr_frame")["invalid"]),
    "link": (parse_wallet_address, load("link")["invalid"]),
    "webhook": (parse_webhook, load("webhook")["invalid"]),
}


INVALID = [
    pytest.param(schema, row, id=f"{schema}: {row['name']}")
    for schema, (_, rows) in NEGATIVES.items()
    for row in rows
]


@pytest.mark.parametrize(("schema", "row"), INVALID)
def test_what_must_be_refused_is_refused(schema: str, row: dict[str, Any]) -> None:
    data = row["utf8"].encode() if "utf8" in row else base64url.decode(row["base64url"])
    with pytest.raises(InkanError) as refused:
        NEGATIVES[schema][0](data)
    assert refused.value.code == row["error"]
    if row["where"] is not None:
        assert refused.value.public_facts["where"] == row["where"]


@pytest.mark.parametrize(("schema", "row"), INVALID)
def test_the_schema_refuses_what_it_can(schema: str, row: dict[str, Any]) -> None:
    if schema in {"qr_frame", "link"}:
        document = row["utf8"]
    else:
        try:
            document = json.loads(row.get("utf8", "\xff"))
        except ValueError:
            return  # no JSON, so nothing that a schema could be asked about
    assert is_valid(schema, document) is not row["schema"]


def verify_es256(jws: str, jwk: dict[str, str]) -> tuple[dict[str, Any], bytes]:
    """A verifier of its own, so that the vectors do not rest on the code that they test."""
    head, payload, signature = jws.split(".")
    x, y = (int.from_bytes(base64url.decode(jwk[name])) for name in ("x", "y"))
    raw = base64url.decode(signature, size=64)
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    public.verify(der, f"{head}.{payload}".encode(), ec.ECDSA(SHA256()))
    return json.loads(base64url.decode(head)), base64url.decode(payload)


@pytest.mark.parametrize("row", load("statement")["valid"], ids=lambda row: row["name"])
def test_statements(row: dict[str, Any]) -> None:
    draft = parse_draft(row["draft"].encode())
    data = row["statement"].encode()
    nonce = base64url.decode(row["phone_nonce"])
    assert statement_bytes(draft, phone_nonce=nonce, text_sha256=row["text_sha256"]) == data
    assert difference(draft, parse_statement(data)) is None
    assert base64url.encode(statement_challenge(data)) == row["challenge"]
    header, payload = verify_es256(row["jws"], load("statement")["keys"]["certificate_key"])
    assert payload == data
    assert header == {
        "alg": "ES256",
        "typ": "inkan-statement+jws",
        "x5t#S256": draft.cert_sha256,
    }
    assert is_valid("statement", json.loads(data))
    assert is_valid("draft", json.loads(row["draft"]))


@pytest.mark.parametrize("row", load("statement")["difference"], ids=lambda row: row["member"])
def test_differences(row: dict[str, Any]) -> None:
    draft = parse_draft(row["draft"].encode())
    assert difference(draft, parse_statement(row["statement"].encode())) == row["member"]


def shown_text(row: dict[str, Any]) -> str:
    arguments = dict(row["arguments"])
    arguments["door"] = StatementDoor(arguments["door"])
    arguments["contents"] = [Content(**each) for each in arguments["contents"]]
    return render(Template(row["template"]), Language(row["lang"]), **arguments)


@pytest.mark.parametrize("row", load("shown")["valid"], ids=lambda row: row["text_sha256"][:8])
def test_shown_texts(row: dict[str, Any]) -> None:
    assert shown_text(row) == row["text"]
    assert text_sha256(row["text"]) == row["text_sha256"]
    assert row["text_sha256"] == base64url.encode(hashlib.sha256(row["text"].encode()).digest())


@pytest.mark.parametrize("row", load("shown")["invalid"], ids=lambda row: row["name"])
def test_texts_that_are_not_shown(row: dict[str, Any]) -> None:
    with pytest.raises(InkanError) as refused:
        shown_text(row)
    assert refused.value.code == row["error"]


def test_frames() -> None:
    vectors = load("qr_frame")
    origin, handle = vectors["wallet_origin"], vectors["handle"]
    key = qr_key(Secret(base64url.decode(vectors["session_secret"])))
    assert base64url.encode(key.reveal()) == vectors["key"]
    for row in vectors["valid"]:
        assert frame(origin, handle=handle, t=row["t"], key=key) == row["frame"]
        read = parse_frame(row["frame"], origin=origin)
        assert verify_frame(read, key, t_now=row["t"]) == read
        assert is_valid("qr_frame", row["frame"])
    join = vectors["enrolment"]
    read = parse_frame(join, origin=origin, path=ENROLMENT_PATH)
    assert frame(origin, handle=handle, t=read.t, key=key, path=ENROLMENT_PATH) == join
    assert is_valid("qr_frame", join)
    for row in vectors["forged"]:
        with pytest.raises(InkanError) as refused:
            verify_frame(parse_frame(row["frame"], origin=origin), key, t_now=100)
        assert refused.value.code == "qr_frame_forged"


@pytest.mark.parametrize("row", load("link")["valid"], ids=lambda row: row["name"])
def test_addresses(row: dict[str, Any]) -> None:
    origin = load("link")["wallet_origin"]
    assert address(origin, handle=row["handle"]) == row["address"]
    assert parse_address(row["address"], origin=origin) == row["handle"]
    assert is_valid("link", row["address"])


@pytest.mark.parametrize("row", load("qr_frame")["ages"], ids=lambda row: str(row["now"]))
def test_ages_of_frames(row: dict[str, Any]) -> None:
    vectors = load("qr_frame")
    key = Secret(base64url.decode(vectors["key"]))
    text = next(each["frame"] for each in vectors["valid"] if each["t"] == row["t"])
    read = parse_frame(text, origin=vectors["wallet_origin"])
    try:
        verify_frame(read, key, t_now=row["now"])
        code = None
    except InkanError as refused:
        code = refused.code
    assert code == row["error"]


def test_enrolment_contents() -> None:
    vectors = load("enrolment")
    assert vectors["content_types"] == CONTENT_TYPES
    for row in vectors["bind"]:
        bind = parse_bind(row["content"].encode())
        assert content_bytes(bind).decode() == row["content"]
        assert pairing_digits(bind) == row["pairing_digits"]
        assert is_valid("bind_content", json.loads(row["content"]))
    for row in vectors["renew"]:
        data = row["content"].encode()
        assert content_bytes(parse_renew(data)) == data
        assert base64url.encode(renew_challenge(data)) == row["challenge"]
        assert is_valid("renew_content", json.loads(data))
    for row in vectors["revoke"]:
        assert content_bytes(parse_revoke(row["content"].encode())).decode() == row["content"]
        assert is_valid("revoke_content", json.loads(row["content"]))


@pytest.mark.parametrize("row", load("receipt")["valid"], ids=lambda row: row["name"])
def test_receipts(row: dict[str, Any]) -> None:
    data = row["payload"].encode()
    assert receipt_bytes(parse_receipt(data)) == data
    header, payload = verify_es256(row["jws"], load("receipt")["keys"]["receipt_key"])
    assert header == {"alg": "ES256", "typ": "inkan-receipt+jws"}
    assert payload == data
    assert is_valid("receipt", json.loads(data))


@pytest.mark.parametrize("row", load("conformance_report")["valid"], ids=lambda row: row["name"])
def test_conformance_reports(row: dict[str, Any]) -> None:
    data = row["payload"].encode()
    assert report_bytes(parse_report(data)) == data
    key = load("conformance_report")["keys"]["conformance_key"]
    header, payload = verify_es256(row["jws"], key)
    assert header == {"alg": "ES256", "typ": "inkan-conformance+jwt"}
    assert payload == data
    assert is_valid("conformance_report", json.loads(data))


@pytest.mark.parametrize("row", load("evidence")["valid"], ids=lambda row: row["name"])
def test_evidence(row: dict[str, Any]) -> None:
    data = row["utf8"].encode()
    bundle = parse_evidence(data)
    assert (evidence_bytes(bundle) == data) is (row["name"] != "indented, in another order")
    assert is_valid("evidence", json.loads(data))
    assert assertion_bytes(bundle.assertion).decode() == load("evidence")["assertion_bytes"]


def test_the_parts_of_the_evidence_fit_together() -> None:
    bundle = parse_evidence(load("evidence")["valid"][0]["utf8"].encode())
    _, payload = verify_es256(bundle.receipt, proofs.public_jwk(proofs.RECEIPT_KEY))
    header, signed = verify_es256(bundle.statement_jws, proofs.public_jwk(proofs.CERTIFICATE_KEY))
    receipt, statement = parse_receipt(payload), parse_statement(signed)
    der = base64url.decode(bundle.certificates[0])
    assert statement.cert_sha256 == header["x5t#S256"] == certificate_sha256(der)
    credential = base64url.decode(bundle.assertion.credential_id)
    cose = base64url.decode(bundle.cose_key)
    assert statement.cred_sha256 == credential_sha256(credential, cose)
    commitments = receipt.commitments
    assert commitments is not None
    committed = {
        "statement": signed,
        "certificate": der,
        "assertion": assertion_bytes(bundle.assertion),
    }
    for name, data in committed.items():
        salt = base64url.decode(getattr(bundle.salts, name))
        assert verify_commitment(getattr(commitments, name), salt=salt, data=data) == data
    client_data = base64url.decode(bundle.assertion.client_data_json)
    challenge = base64url.encode(statement_challenge(signed))
    assert json.loads(client_data)["challenge"] == challenge
    message = base64url.decode(bundle.assertion.authenticator_data)
    proofs.CREDENTIAL_KEY.public_key().verify(
        base64url.decode(bundle.assertion.signature),
        message + hashlib.sha256(client_data).digest(),
        ec.ECDSA(SHA256()),
    )


def test_the_audit_log() -> None:
    vectors = load("audit_log")
    (row,) = vectors["valid"]
    proof = row["inclusion"]
    said = decision_details(
        row["receipt"].encode(),
        outcome="ok",
        reason=None,
        statement_sha256=base64url.encode(hashlib.sha256(row["statement"].encode()).digest()),
    )
    assert jcs.canonical(said).decode() == row["details"]
    leaf = base64url.decode(proof["event"])
    event = parse_event(leaf)
    salt = base64url.decode(proof["salt"], size=16)
    assert leaf.decode() == row["event"]
    assert base64url.decode(event.details) == details_digest(salt, said)
    assert event.object == json.loads(row["receipt"])["session"]
    header, payload = verify_es256(proof["head_jws"], vectors["keys"]["head_key"])
    head = parse_head(payload)
    assert (header["typ"], head.size) == ("inkan-audit-head+jws", proof["tree_size"])
    assert base64url.encode(leaf_hash(leaf)) == row["leaf_hash"]
    verify_inclusion(
        leaf_hash(leaf),
        index=proof["index"],
        size=proof["tree_size"],
        path=[base64url.decode(node) for node in proof["path"]],
        root=base64url.decode(head.root),
    )
    assert is_valid("audit_event", json.loads(leaf))
    assert is_valid("audit_head", json.loads(payload))


def webhook_request(row: dict[str, Any]) -> WebhookRequest:
    return WebhookRequest(row["method"], row["url"], row["headers"], row["body"].encode())


def webhook_keys() -> dict[str, Any]:
    public = load("webhook")["keys"]["webhook_key"]
    key, thumbprint = jwk.load_with_thumbprint(public)
    assert thumbprint == public["kid"]
    return {thumbprint: key}


@pytest.mark.parametrize("row", load("webhook")["valid"], ids=lambda row: row["name"])
def test_webhooks(row: dict[str, Any]) -> None:
    now = parse_moment(row["now"])
    opened = open_webhook(webhook_request(row), webhook_keys(), now=now)
    assert webhook_bytes(opened.webhook).decode() == row["body"]
    assert is_valid("webhook", json.loads(row["body"]))
    # A verifier of its own, over the signature base that the vector shows.
    raw = base64.b64decode(row["headers"]["signature"].removeprefix("inkan=:").removesuffix(":"))
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    (key,) = webhook_keys().values()
    key.verify(der, row["signature_base"].encode(), ec.ECDSA(SHA256()))


@pytest.mark.parametrize("row", load("webhook")["forged"], ids=lambda row: row["name"])
def test_forged_webhooks(row: dict[str, Any]) -> None:
    with pytest.raises(InkanError) as refused:
        open_webhook(webhook_request(row), webhook_keys(), now=parse_moment(row["now"]))
    assert refused.value.code == row["error"]


def test_commitments() -> None:
    for row in load("commitment")["valid"]:
        salt, data = base64url.decode(row["salt"]), base64url.decode(row["data"])
        assert commit(salt, data) == row["commitment"]
    for row in load("commitment")["invalid"]:
        salt, data = base64url.decode(row["salt"]), base64url.decode(row["data"])
        with pytest.raises(InkanError) as refused:
            verify_commitment(row["commitment"], salt=salt, data=data)
        assert refused.value.code == row["error"]


def test_binding_levels() -> None:
    rows = load("binding")["valid"]
    assert {row["door"] for row in rows} == set(StatementDoor)
    for row in rows:
        evidence = [Evidence(each) for each in row["evidence"]]
        assert level_of(StatementDoor(row["door"]), evidence) == row["level"]
