"""The tables of the counter, and the terms."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.counter.model import (
    CaseState,
    CaseStep,
    CounterEntryMalformed,
    DocumentKind,
    PhotoDocument,
    PhotoDocumentMissing,
    ReportCause,
    TermsNotAccepted,
)
from inkan.counter.rules import (
    DOCUMENTS,
    FEE,
    KINDS,
    MACHINE,
    REASON_OF_CAUSE,
    TERMS,
    VALID_YEARS,
    is_hidden_my_number,
    terms_of,
    verify_document,
    verify_entry,
)
from inkan.counter.rules.terms import LANGUAGES, VERSIONS
from inkan.kernel.sensitive import Personal
from inkan.pki import RevocationReason

TODAY = date(2026, 11, 22)


@pytest.mark.req("JPKI-07")
def test_each_version_of_the_terms_is_there_in_each_language():
    assert len({terms.version for terms in VERSIONS}) == len(VERSIONS)
    assert VERSIONS[-1] == TERMS
    for terms in VERSIONS:
        assert set(terms.text) == LANGUAGES
        lines = {len(text.strip().splitlines()) for text in terms.text.values()}
        assert len(lines) == 1
        assert terms_of(terms.version) is terms
        assert len(terms.version) <= 32
    with pytest.raises(TermsNotAccepted):
        terms_of("1999-1")


def test_the_figures_are_those_of_the_handbook():
    assert (FEE, VALID_YEARS) == (500, 3)
    assert {row.source for row in DOCUMENTS.values()} == {"JPKI-20"}
    compromised = {c for c, r in REASON_OF_CAUSE.items() if r is RevocationReason.KEY_COMPROMISE}
    assert compromised == {
        ReportCause.LOST,
        ReportCause.STOLEN,
        ReportCause.MISUSED,
        ReportCause.SUSPECTED_MISUSE,
    }


def test_every_step_belongs_to_a_kind_of_case_and_every_kind_can_be_withdrawn():
    assert {step for row in KINDS.values() for step in row.steps} == set(CaseStep)
    assert all(CaseStep.WITHDRAW in row.steps for row in KINDS.values())
    closed = {CaseState.DONE, CaseState.WITHDRAWN}
    assert closed == MACHINE.final
    assert MACHINE.before(CaseStep.WITHDRAW) == set(CaseState) - closed


@given(st.text(max_size=220), st.sampled_from(["code", "name", "municipality", "phone", "address"]))
def test_an_entry_is_taken_or_refused(text, where):
    try:
        assert verify_entry(text, where=where) == text
    except CounterEntryMalformed:
        return
    assert text == text.strip() != ""


@given(st.text(max_size=40), st.dates())
def test_a_document_is_taken_or_refused(number, expires_on):
    document = PhotoDocument(
        kind=DocumentKind.PASSPORT, number=Personal(number), expires_on=expires_on
    )
    try:
        assert verify_document(document, today=TODAY) is document
    except PhotoDocumentMissing:
        return
    assert expires_on >= TODAY


@pytest.mark.req("WAT-62")
@given(
    st.lists(
        st.sampled_from(["", " ", "-", "－", "・ "[1:], "\u3000", "."]), min_size=12, max_size=12
    )
)
def test_a_my_number_hides_behind_no_separator(separators):
    digits = "123456789018"
    text = "".join(map("".join, zip(digits, separators, strict=True)))
    assert is_hidden_my_number(text)
    assert is_hidden_my_number(f"AB{text}")
