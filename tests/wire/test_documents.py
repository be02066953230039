"""Every format through the same class: typed, capped, canonical; refusals that point at the member."""

from typing import Any

import msgspec
import pytest

from inkan.crypto import jcs
from inkan.crypto.jcs import JSONTooLarge, NotCanonical
from inkan.kernel.errors import InkanError, Malformed
from inkan.wire.documents import Format
from inkan.wire.enrolment_request import BIND, RENEW, REVOKE
from inkan.wire.receipt import RECEIPT
from inkan.wire.statement import DRAFT, STATEMENT
from wire import samples

VALID: list[tuple[Format[Any], msgspec.Struct]] = [
    (DRAFT, samples.draft()),
    (STATEMENT, samples.statement()),
    (STATEMENT, samples.statement(**samples.sign_members())),
    (BIND, samples.bind()),
    (RENEW, samples.renew()),
    (REVOKE, samples.revoke()),
    (RECEIPT, samples.receipt(claims={"birthdate": {"value": "2000-01-01", "level": 3}})),
    (RECEIPT, samples.refused_receipt()),
]
each_format = pytest.mark.parametrize(
    ("form", "value"), VALID, ids=lambda value: type(value).__name__
)


def refusal(form: Format[Any], data: bytes) -> InkanError:
    with pytest.raises(InkanError) as refused:
        form.parse(data)
    return refused.value


@each_format
def test_what_is_built_is_read_back(form: Format[Any], value: msgspec.Struct) -> None:
    data = form.encode(value)
    assert form.parse(data) == value
    assert data == jcs.canonical(msgspec.to_builtins(value))


@each_format
def test_the_size_is_checked_before_anything_is_parsed(
    form: Format[Any], value: msgspec.Struct
) -> None:
    error = refusal(form, b"\xff" * (form.limit + 1))
    assert type(error) is JSONTooLarge
    assert error.public_facts == {"limit_bytes": form.limit}


@each_format
def test_a_second_spelling_is_refused(form: Format[Any], value: msgspec.Struct) -> None:
    data = form.encode(value)
    spaced = data.replace(b'":', b'": ', 1)
    escaped = data.replace(b'"v":1', b'"\\u0076":1')
    name = next(iter(msgspec.json.decode(data)))
    doubled = b'{"' + name.encode() + b'":' + data.split(b":", 1)[1][:-1]
    doubled = data[:-1] + b"," + doubled[1:] + b"}"
    disordered = msgspec.json.encode(dict(reversed(msgspec.json.decode(data).items())))
    for other in (spaced, escaped, doubled, disordered, data + b"\n"):
        assert other != data
        assert type(refusal(form, other)) is NotCanonical, other


@each_format
def test_every_member_is_demanded_and_no_other_is_taken(
    form: Format[Any], value: msgspec.Struct
) -> None:
    members = msgspec.to_builtins(value)
    for name in members:
        error = refusal(form, jcs.canonical({k: v for k, v in members.items() if k != name}))
        assert type(error) is form.malformed, name
    error = refusal(form, jcs.canonical(members | {"zzz": None}))
    assert type(error) is form.malformed


@each_format
@pytest.mark.parametrize("version", [0, 2, "1", None, True])
def test_only_version_1_is_read(form: Format[Any], value: msgspec.Struct, version: object) -> None:
    error = refusal(form, jcs.canonical(msgspec.to_builtins(value) | {"v": version}))
    assert type(error) is form.malformed
    assert error.public_facts["where"] == "/v"


@each_format
def test_a_builder_emits_nothing_that_its_parser_refuses(
    form: Format[Any], value: msgspec.Struct
) -> None:
    moment = next(name for name in value.__struct_fields__ if name.endswith("at"))
    for wrong in ("2026-02-30T00:00:00Z", "\ud800", "", None, b"x", object()):
        with pytest.raises(Malformed):
            form.encode(msgspec.structs.replace(value, **{moment: wrong}))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (
            {"relying_party": {"id": "rp_1", "name": "\u202e", "domain": "a.tw"}},
            "/relying_party/name",
        ),
        ({"contents": [{"id": "x"}]}, "/contents/0"),
        ({"claims": ["ok", "Not A Code"]}, "/claims/1"),
        ({"at": "2026-02-30T00:00:00Z"}, "/at"),
        ({"zzz": 1}, ""),
    ],
)
def test_a_refusal_points_at_the_member(change: dict[str, Any], where: str) -> None:
    data = jcs.canonical(msgspec.to_builtins(samples.statement()) | change)
    error = refusal(STATEMENT, data)
    assert error.public_facts["where"] == where
    assert 0 < len(error.public_facts["expected"]) <= 200


def test_a_refusal_does_not_repeat_megabytes() -> None:
    error = refusal(STATEMENT, jcs.canonical({"x" * 100_000: 1}))
    assert len(error.public_facts["expected"]) <= 200


@pytest.mark.parametrize(
    "data",
    [b"", b"null", b"[]", b"1", b'"x"', b"{", b"\xff", b'{"v":1,"a":"\xff"}', b"\xef\xbb\xbf{}"],
    ids=repr,
)
@each_format
def test_what_is_no_object_is_malformed(
    form: Format[Any], value: msgspec.Struct, data: bytes
) -> None:
    assert isinstance(refusal(form, data), Malformed)


@pytest.mark.parametrize("opening", [b'{"a":', b"["])
def test_depth_costs_no_stack(opening: bytes) -> None:
    data = RECEIPT.encode(samples.receipt())
    deep = data.replace(b'"claims":{}', b'"claims":{"a":' + opening * 20_000)
    assert isinstance(refusal(RECEIPT, deep), Malformed)
    closing = b"}" if opening[0:1] == b"{" else b"]"
    closed = opening * 900 + b"1" + closing * 900
    assert isinstance(refusal(RECEIPT, data.replace(b'"claims":{}', b'"claims":{"a":' + closed + b"}")), Malformed)  # fmt: skip
