"""Every parser of the package: random bytes and broken documents bring out refusals and nothing else."""

import contextlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.kernel.errors import InkanError
from inkan.wire.conformance_report import parse_report
from inkan.wire.enrolment_request import parse_bind, parse_renew, parse_revoke
from inkan.wire.evidence import parse_evidence
from inkan.wire.forms import parse_moment, verify_line
from inkan.wire.link import parse_address
from inkan.wire.qr import parse_frame
from inkan.wire.receipt import parse_receipt
from inkan.wire.statement import parse_draft, parse_statement
from inkan.wire.use_proof import parse_use_proof
from inkan.wire.webhook import parse_webhook
from wire import samples

PARSERS: dict[str, tuple[Callable[[bytes], Any], msgspec.Struct]] = {
    "draft": (parse_draft, samples.draft(claims=("name",))),
    "statement": (parse_statement, samples.statement(**samples.sign_members())),
    "bind": (parse_bind, samples.bind()),
    "renew": (parse_renew, samples.renew()),
    "revoke": (parse_revoke, samples.revoke()),
    "receipt": (parse_receipt, samples.receipt(claims={"a": {"b": [1, None, True, "x"]}})),
    "report": (parse_report, samples.report()),
    "evidence": (parse_evidence, samples.bundle()),
    "use_proof": (parse_use_proof, samples.use_proof()),
    "webhook": (parse_webhook, samples.webhook()),
}
each_parser = pytest.mark.parametrize("name", PARSERS)

# Pieces that JSON decoders have stumbled over: depth, surrogates, numbers without end, bad UTF-8.
PIECES = [
    *(b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"\x00", b"\xff", b"\xed\xa0\x80"),
    *(b"null", b"true", b"NaN", b"-0", b"1e999", b"1.0", b"9" * 30, b"[" * 2000, b'{"a":' * 2000),
    *(b'"\\ud800"', b'"\\u0000"', b"\xef\xbb\xbf", b'"v":1,', b"\n"),
]


def only_refusals(parse: Callable[[Any], Any], value: Any) -> None:
    with contextlib.suppress(InkanError):
        parse(value)


@each_parser
@given(data=st.binary(max_size=300))
def test_random_bytes(name: str, data: bytes) -> None:
    only_refusals(PARSERS[name][0], data)


@each_parser
@given(data=st.data())
def test_broken_documents(name: str, data: st.DataObject) -> None:
    parse, document = PARSERS[name]
    broken = msgspec.json.encode(document, order="sorted")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(broken)))
        removed = data.draw(st.integers(0, 5))
        inserted = data.draw(st.sampled_from(PIECES) | st.binary(max_size=4))
        broken = broken[:at] + inserted + broken[at + removed :]
    only_refusals(parse, broken)


@given(st.text(max_size=100))
def test_texts(text: str) -> None:
    only_refusals(parse_moment, text)
    only_refusals(verify_line, text)
    only_refusals(lambda url: parse_frame(url, origin="https://w.tw"), text)
    only_refusals(lambda url: parse_address(url, origin="https://w.tw"), text)
