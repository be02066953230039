"""The evidence bundle: any spelling of JSON, but every member once and in its form."""

import json
from typing import Any

import msgspec
import pytest

from inkan.crypto import jcs
from inkan.crypto.jcs import JSONTooLarge
from inkan.wire.evidence import (
    EVIDENCE_LIMIT,
    EvidenceMalformed,
    PlatformWord,
    assertion_bytes,
    evidence_bytes,
    parse_evidence,
)
from wire import samples


def members() -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(samples.bundle())
    return found


def refused_at(data: bytes) -> str:
    with pytest.raises(EvidenceMalformed) as refused:
        parse_evidence(data)
    return str(refused.value.public_facts["where"])


def test_a_bundle_is_written_canonically_and_read_back() -> None:
    data = evidence_bytes(samples.bundle())
    assert data == jcs.canonical(members())
    assert parse_evidence(data) == samples.bundle()
    bare = samples.bundle(inclusion=None, timestamp=samples.b64("token", 1000), platform_words=())
    assert parse_evidence(evidence_bytes(bare)) == bare


def test_a_database_may_have_reordered_and_indented_it() -> None:
    reordered = dict(reversed(members().items()))
    assert parse_evidence(json.dumps(reordered, indent=2).encode()) == samples.bundle()


def test_the_bytes_of_an_assertion_are_its_canonical_json() -> None:
    assertion = samples.bundle().assertion
    assert assertion_bytes(assertion) == jcs.canonical(msgspec.to_builtins(assertion))


def test_the_size_is_checked_before_anything_is_parsed() -> None:
    with pytest.raises(JSONTooLarge) as refused:
        parse_evidence(b"\xff" * (EVIDENCE_LIMIT + 1))
    assert refused.value.public_facts == {"limit_bytes": EVIDENCE_LIMIT}


@pytest.mark.parametrize("name", list(members()))
def test_every_member_is_demanded(name: str) -> None:
    assert refused_at(json.dumps({k: v for k, v in members().items() if k != name}).encode()) == ""


@pytest.mark.parametrize("nested", [False, True])
def test_a_name_that_stands_twice_is_refused(nested: bool) -> None:
    text = json.dumps(members())
    name = '"index": 5' if nested else '"v": 1'
    assert refused_at(text.replace(name, f"{name}, {name}").encode()) == ""


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"v": 2}, "/v"),
        ({"v": 1.0}, "/v"),
        ({"zzz": 1}, ""),
        ({"receipt": "only.two"}, "/receipt"),
        ({"receipt": "a.b.c\n"}, "/receipt"),
        ({"statement_jws": "a.b.c."}, "/statement_jws"),
        ({"cose_key": "="}, "/cose_key"),
        ({"cose_key": "AB"}, "/cose_key"),
        ({"certificates": []}, "/certificates"),
        ({"certificates": ["AA"] * 9}, "/certificates"),
        ({"timestamp": ""}, "/timestamp"),
        ({"revocation": {"ocsp": ["AB"], "crls": []}}, "/revocation/ocsp/0"),
        ({"revocation": {"ocsp": [], "crls": ["AA", "A"]}}, "/revocation/crls/1"),
        ({"platform_words": ["times", "times"]}, "/platform_words"),
        ({"platform_words": ["everything"]}, "/platform_words/0"),
    ],
    ids=str,
)
def test_wrong_members_are_refused(change: dict[str, Any], where: str) -> None:
    assert refused_at(json.dumps(members() | change).encode()) == where


@pytest.mark.parametrize(
    ("index", "size", "admitted"),
    [(0, 1, True), (7, 8, True), (8, 8, False), (0, 0, False), (-1, 8, False), (0, 2**53, False)],
)
def test_an_index_lies_inside_its_tree(index: int, size: int, admitted: bool) -> None:
    inclusion = members()["inclusion"] | {"index": index, "tree_size": size}
    data = json.dumps(members() | {"inclusion": inclusion}).encode()
    if admitted:
        assert parse_evidence(data)
        return
    assert refused_at(data).startswith("/inclusion/")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"NaN",
        b'{"v": NaN}',
        b'{"v": 1' + b"0" * 5000 + b"}",
        b"[" * 100_000,
        b'{"v":' * 100_000,
        b'"\\ud800"',
        b'{"\\ud800": 1}',
    ],
    ids=lambda data: repr(data[:12]),
)
def test_what_is_no_bundle(data: bytes) -> None:
    refused_at(data)


def test_large_revocation_lists_fit() -> None:
    revocation = {"ocsp": [], "crls": [samples.b64("crl", 1_000_000)]}
    assert parse_evidence(json.dumps(members() | {"revocation": revocation}).encode())


def test_the_words_of_the_platform() -> None:
    bundle = samples.bundle(platform_words=tuple(PlatformWord))
    assert parse_evidence(evidence_bytes(bundle)).platform_words == tuple(PlatformWord)
