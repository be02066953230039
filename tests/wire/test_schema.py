"""The JSON Schemas and the parsers say the same formats, as far as a schema can say them."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Secret
from inkan.wire import (
    audit_log,
    binding,
    contents,
    enrolment_request,
    evidence,
    reasons,
    receipt,
    session,
    shown,
)
from inkan.wire.audit_log import Event, HeadPayload, parse_event, parse_head
from inkan.wire.conformance_report import ConformanceReport, parse_report
from inkan.wire.enrolment_request import parse_bind, parse_renew, parse_revoke
from inkan.wire.evidence import EvidenceBundle, parse_evidence
from inkan.wire.link import address, parse_address
from inkan.wire.qr import frame, parse_frame, qr_key
from inkan.wire.receipt import Receipt, parse_receipt
from inkan.wire.schema import NAMES, schema
from inkan.wire.statement import Draft, Statement, parse_draft, parse_statement
from inkan.wire.use_proof import UseProof, parse_use_proof
from inkan.wire.webhook import Webhook, parse_webhook
from wire import samples
from wire.validation import ID, is_valid, validator


class Case(NamedTuple):
    """A format: its parser, its struct and valid documents of it."""

    parse: Callable[[bytes], msgspec.Struct]
    kind: type[msgspec.Struct]
    documents: list[msgspec.Struct]


SIGN = samples.sign_members()
CASES = {
    "draft": Case(parse_draft, Draft, [samples.draft(), samples.draft(**SIGN)]),
    "statement": Case(
        parse_statement,
        Statement,
        [samples.statement(claims=("name",)), samples.statement(**SIGN)],
    ),
    "bind_content": Case(
        parse_bind,
        enrolment_request.BindContent,
        [samples.bind(), samples.bind(attestation_sha256=samples.b64("a"), scope=("a", "b"))],
    ),
    "renew_content": Case(parse_renew, enrolment_request.RenewContent, [samples.renew()]),
    "revoke_content": Case(parse_revoke, enrolment_request.RevokeContent, [samples.revoke()]),
    "receipt": Case(
        parse_receipt,
        Receipt,
        [
            samples.receipt(claims={"name": "王", "birthdate": {"level": 3, "value": ["x"]}}),
            samples.receipt(kind="sign", contents=(samples.content(),), evidence="full"),
            samples.refused_receipt(),
        ],
    ),
    "audit_event": Case(
        parse_event, Event, [samples.event(), samples.event(subject=None, object=None)]
    ),
    "audit_head": Case(parse_head, HeadPayload, [samples.head()]),
    "use_proof": Case(
        parse_use_proof,
        UseProof,
        [samples.use_proof(), samples.use_proof(details=None, salt=None)],
    ),
    "conformance_report": Case(
        parse_report,
        ConformanceReport,
        [
            samples.report(),
            samples.report(passed=True, items=(samples.report().items[0],)),
        ],
    ),
    "evidence": Case(
        parse_evidence, EvidenceBundle, [samples.bundle(), samples.bundle(inclusion=None)]
    ),
    "webhook": Case(parse_webhook, Webhook, [samples.webhook(), samples.webhook(state="opened")]),
}

# What a schema cannot say: `expected` of the refusals that only the parser knows.
INEXPRESSIBLE = {
    "a day that exists",
    "distinct ids",
    "distinct keys",
    "true exactly if every item passed",
    "not before decided_at",
    "sorted names, none twice",
    "an index inside the tree",
    "a salt beside the details, and neither without the other",
}


def test_every_schema_is_shipped_and_sound() -> None:
    assert set(CASES) | {"common", "qr_frame", "link"} == set(NAMES)
    for name in NAMES:
        document = schema(name)
        assert document["$id"] == f"{ID}{name}"
        assert document["$schema"].endswith("2020-12/schema")
        validator(name).check_schema(document)


@pytest.mark.parametrize("name", CASES)
def test_a_schema_has_the_members_of_its_struct(name: str) -> None:
    found = schema(name)
    members = dict(found.get("properties", {}))
    if name in {"draft", "statement"}:
        members |= schema("draft")["$defs"]["members"]["properties"]
    assert set(members) == set(CASES[name].kind.__struct_fields__)


def enums_of(node: Any) -> Iterator[list[Any]]:
    if isinstance(node, dict):
        if "enum" in node:
            yield [value for value in node["enum"] if value is not None]
        for value in node.values():
            yield from enums_of(value)
    elif isinstance(node, list):
        for value in node:
            yield from enums_of(value)


def test_a_schema_has_the_words_of_its_enums() -> None:
    said = {tuple(words) for name in NAMES for words in enums_of(schema(name))}
    enums = [
        *(session.Kind, session.Outcome, session.EvidenceMode, session.SessionState),
        *(binding.StatementDoor, binding.BackEnd, binding.BindingLevel, binding.Evidence),
        *(contents.DigestAlgorithm, contents.ContentFormat, shown.Template, shown.Language),
        audit_log.ActorKind,
        *(reasons.Reason, enrolment_request.RevokeCause, evidence.PlatformWord),
    ]
    templates = {(template,) for template in shown.Template}
    methods = tuple(receipt.UserVerification.__args__)  # type: ignore[attr-defined]
    assert said == {tuple(map(str, enum)) for enum in enums} | templates | {methods}


def plain(document: msgspec.Struct) -> Any:
    """The document as a JSON parser gives it: lists, not tuples."""
    return msgspec.json.decode(msgspec.json.encode(document))


def accepts(case: Case, document: Any) -> tuple[bool, str]:
    try:
        case.parse(msgspec.json.encode(document, order="sorted"))
    except InkanError as error:
        return False, str(error.public_facts.get("expected", ""))
    return True, ""


@pytest.mark.parametrize("name", CASES)
def test_both_accept_valid_documents(name: str) -> None:
    for document in CASES[name].documents:
        value = plain(document)
        assert accepts(CASES[name], value) == (True, "")
        assert is_valid(name, value)


def paths_of(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(node, dict):
        for key, value in node.items():
            yield from paths_of(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from paths_of(value, (*path, index))


# Values that are right somewhere, and values that are right nowhere.
POOL: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        1,
        2,
        -1,
        7,
        2**53 - 1,
        2**53,
        1.5,
        "",
        " ",
        "a",
        "\n",
        [],
        {},
        [1],
        ["a"],
    ),
    *("identify", "approve", "sign", "ok", "refused", "full", "platform", "qr", "redirect"),
    *("redirect/open", "statement", "cms", "sha-256", "sha-512", "sign.v1", "approve.v1", "en"),
    *("user_refused", "pin", "A", "plain", "strong", "browser_bound", "bind", "single", "auth"),
    *("2026-11-21T22:55:04Z", "2026-02-30T00:00:00Z", "https://a.tw", "http://a.tw", "a.tw"),
    *(samples.b64("x"), samples.b64("x", 48), samples.b64("x", 64), samples.b64("x", 31), "AB"),
    *("字" * 200, "字" * 201, "x\u202ey", "x\u200b", "\u3000", "a.b.c", "x" * 65, "x" * 2001),
]
TAILS = ["\n", "=", "A", "\u200b", " ", "\x00", ".", "/"]


def mutate(data: st.DataObject, document: Any) -> Any:
    """Change one place of a document; the place, the way and the value are drawn."""
    path = data.draw(st.sampled_from([path for path in paths_of(document) if path]))
    parent = document
    for step in path[:-1]:
        parent = parent[step]
    last = path[-1]
    way = data.draw(st.sampled_from(["value", "tail", "cut", "delete", "add", "repeat"]))
    value = parent[last]
    if way == "value":
        parent[last] = copy.deepcopy(data.draw(st.sampled_from(POOL)))
    elif way == "tail" and isinstance(value, str):
        parent[last] = value + data.draw(st.sampled_from(TAILS))
    elif way == "cut" and isinstance(value, str):
        parent[last] = value[: data.draw(st.integers(0, len(value)))]
    elif way == "delete":
        del parent[last]
    elif way == "add" and isinstance(parent, dict):
        parent[data.draw(st.sampled_from(["zzz", "Name", "名", "phone_nonce", "v"]))] = value
    elif way == "repeat" and isinstance(parent, list):
        parent.append(copy.deepcopy(value))
    return document


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
def test_parser_and_schema_agree(name: str, data: st.DataObject) -> None:
    case = CASES[name]
    document = plain(data.draw(st.sampled_from(case.documents)))
    for _ in range(data.draw(st.integers(1, 3))):
        if not document:
            break
        document = mutate(data, document)
    accepted, expected = accepts(case, document)
    if accepted or expected not in INEXPRESSIBLE:
        assert is_valid(name, document) == accepted, expected


WALLET = "https://wallet.example.gov.tw"
FRAME = frame(WALLET, handle=samples.b64("h", 16), t=7, key=qr_key(Secret(b"secret")))
ADDRESS = address(WALLET, handle=samples.b64("h", 16))
TEXTS: dict[str, tuple[str, Callable[..., Any]]] = {
    "qr_frame": (FRAME, parse_frame),
    "link": (ADDRESS, parse_address),
}


@pytest.mark.parametrize("name", TEXTS)
@given(
    place=st.integers(0, len(FRAME)),
    removed=st.integers(0, 3),
    inserted=st.text(alphabet="aZ019.#-_/=\n", max_size=3),
)
def test_addresses_agree_too(name: str, place: int, removed: int, inserted: str) -> None:
    good, parse = TEXTS[name]
    index = len(WALLET) + 1 + place % (len(good) - len(WALLET))
    text = good[:index] + inserted + good[index + removed :]
    try:
        parse(text, origin=WALLET)
        accepted = True
    except InkanError:
        accepted = False
    assert is_valid(name, text) == accepted


def test_a_frame_beyond_the_seconds_is_for_the_parser_to_refuse() -> None:
    assert is_valid("qr_frame", FRAME.replace(".7.", ".4294967296."))


def test_schemas_are_written_in_ascii() -> None:
    for name in NAMES:
        assert json.dumps(schema(name), indent=2, ensure_ascii=True)
