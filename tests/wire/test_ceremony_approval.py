"""The approval of a ceremony: one spelling, one file, nothing else."""

import pytest

from inkan.crypto.jcs import JSONTooLarge, NotCanonical
from inkan.wire.ceremony_approval import (
    CeremonyApproval,
    CeremonyApprovalMalformed,
    approval_bytes,
    file_sha256,
    parse_approval,
)

APPROVAL = CeremonyApproval(
    title="Test country", file_sha256=file_sha256(b"kind = 'found'"), at="2026-11-22T02:00:00Z"
)


def test_what_is_written_is_read() -> None:
    assert parse_approval(approval_bytes(APPROVAL)) == APPROVAL
    assert approval_bytes(APPROVAL).startswith(b'{"at":')


@pytest.mark.parametrize(
    "change",
    [
        (b'"v":1', b'"v":2'),
        (b'"type":"ceremony"', b'"type":"bind"'),
        (b'"title":"Test country"', b'"title":""'),
        (b'2026-11-22T02:00:00Z"', b'2026-11-22"'),
        (b"{", b'{"more":1,'),
    ],
)
def test_another_form_is_refused(change: tuple[bytes, bytes]) -> None:
    with pytest.raises(CeremonyApprovalMalformed):
        parse_approval(approval_bytes(APPROVAL).replace(*change, 1))


def test_another_spelling_and_a_long_one_are_refused() -> None:
    data = approval_bytes(APPROVAL)
    with pytest.raises(NotCanonical):
        parse_approval(data.replace(b":", b": ", 1))
    with pytest.raises(JSONTooLarge):
        parse_approval(data + b" " * 2048)


def test_one_changed_byte_of_the_file_is_another_file() -> None:
    assert file_sha256(b"a") != file_sha256(b"b")
