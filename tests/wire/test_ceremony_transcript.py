"""The transcript of a ceremony: one spelling, one form, nothing that a terminal would act on."""

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto.jcs import JSONTooLarge, NotCanonical
from inkan.kernel.errors import InkanError
from inkan.wire.ceremony_approval import file_sha256
from inkan.wire.ceremony_transcript import (
    TRANSCRIPT_LIMIT,
    Approver,
    CeremonyTranscriptMalformed,
    Transcript,
    TranscriptLine,
    parse_transcript,
    transcript_bytes,
)

LINE = TranscriptLine(
    name="root",
    role="root",
    subject="CN=測試,C=TW",
    thumbprint_sha256=":".join(["AB"] * 32),
    not_after="2046-11-22T02:00:00Z",
)
TRANSCRIPT = Transcript(
    kind="found",
    title="Test country",
    file_sha256=file_sha256(b"kind = 'found'"),
    held_at="2026-11-22T02:00:00Z",
    is_rehearsal=False,
    approvals=[Approver(name="C1", unit="Archives", approval_sha256="ab" * 32)],
    made=[LINE],
)


def test_what_is_written_is_read() -> None:
    assert parse_transcript(transcript_bytes(TRANSCRIPT)) == TRANSCRIPT
    assert transcript_bytes(TRANSCRIPT).startswith(b'{"approvals":')


@pytest.mark.parametrize(
    "change",
    [
        (b'"v":1', b'"v":2'),
        (b'"is_rehearsal":false', b'"is_rehearsal":0'),
        (b'"title":"Test country"', b'"title":""'),
        (b'"title":"Test country"', b'"title":"\\u001b[2J"'),
        (b'"kind":"found",', b""),
        (b"AB:", b"ab:"),
        (b'2026-11-22T02:00:00Z"', b'2026-02-30T02:00:00Z"'),
        (b'2046-11-22T02:00:00Z"', b'2046-02-30T02:00:00Z"'),
        (b'{"approvals"', b'{"a":1,"approvals"'),
    ],
)
def test_another_form_is_refused(change: tuple[bytes, bytes]) -> None:
    data = transcript_bytes(TRANSCRIPT)
    assert change[0] in data
    with pytest.raises(CeremonyTranscriptMalformed):
        parse_transcript(data.replace(*change, 1))


def test_another_spelling_and_a_long_one_are_refused() -> None:
    data = transcript_bytes(TRANSCRIPT)
    with pytest.raises(NotCanonical):
        parse_transcript(data.replace(b":", b": ", 1))
    with pytest.raises(JSONTooLarge):
        parse_transcript(data + b" " * TRANSCRIPT_LIMIT)


def test_a_name_that_nobody_can_read_is_not_written() -> None:
    line = msgspec.structs.replace(LINE, name="root\u202e")
    with pytest.raises(CeremonyTranscriptMalformed):
        transcript_bytes(msgspec.structs.replace(TRANSCRIPT, made=[line]))


@given(data=st.data())
def test_broken_transcripts_bring_out_refusals_and_nothing_else(data: st.DataObject) -> None:
    broken = transcript_bytes(TRANSCRIPT)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(broken)))
        removed = data.draw(st.integers(0, 5))
        broken = broken[:at] + data.draw(st.binary(max_size=4)) + broken[at + removed :]
    with contextlib.suppress(InkanError):
        parse_transcript(broken)
