"""The reason codes: total tables, texts in every language, and one rule of what may be told."""

import pytest

from inkan.wire.reasons import (
    ROWS,
    Disclosure,
    Group,
    Owner,
    Reason,
    Retry,
    text,
    texts,
    told,
)
from inkan.wire.session import Kind, Outcome, SessionState
from inkan.wire.shown import Language

GROUPS = {
    Group.USER: 7,
    Group.DEVICE: 6,
    Group.CERTIFICATE: 7,
    Group.BINDING: 7,
    Group.CONTENT: 4,
    Group.RP: 6,
    Group.RISK: 4,
    Group.SERVICE: 5,
}


def test_every_table_is_total() -> None:
    assert list(ROWS) == list(Reason)
    assert set(texts()) == set(Reason)
    assert set(GROUPS) == set(Group)
    assert {row.owner for row in ROWS.values()} == set(Owner)
    assert {row.retry for row in ROWS.values()} == set(Retry)
    assert all(row.source for row in ROWS.values())


@pytest.mark.parametrize("group", Group)
def test_groups_have_their_codes(group: Group) -> None:
    assert sum(row.group == group for row in ROWS.values()) == GROUPS[group]


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_text_of_its_own_in_every_language(reason: Reason) -> None:
    assert set(texts()[reason]) == set(Language)
    for lang in Language:
        line = text(reason, lang)
        assert line == line.strip()
        assert line.endswith("." if lang == Language.EN else "。")
        assert sum(text(other, lang) == line for other in Reason) == 1


def test_what_would_tell_a_stranger_about_a_person_waits_until_a_phone_opened() -> None:
    private = {Group.USER, Group.DEVICE, Group.CERTIFICATE, Group.RISK}
    for reason, row in ROWS.items():
        waits = row.group in private and reason != Reason.USER_NO_RESPONSE
        assert (row.disclosure == Disclosure.OPENED) is waits, reason


@pytest.mark.parametrize("reason", Reason)
def test_a_stranger_is_told_no_response(reason: Reason) -> None:
    assert told(reason, may_know=True) == reason
    hidden = ROWS[reason].disclosure == Disclosure.OPENED
    assert told(reason, may_know=False) == (Reason.USER_NO_RESPONSE if hidden else reason)


def test_the_words_of_a_session() -> None:
    assert [*SessionState] == [
        *("created", "presented", "opened", "decided", "closed", "cancelled", "expired"),
    ]
    assert [*Outcome] == ["ok", "refused", "failed", "blocked"]
    assert [*Kind] == ["identify", "approve", "sign"]
