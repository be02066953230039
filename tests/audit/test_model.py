"""What may stand in an event, and what a report says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.audit import Finding, FindingKind, Report
from inkan.audit.model import verify_opaque, verify_use_case
from inkan.kernel.identifiers import is_my_number, national_id_check_digit


@pytest.mark.parametrize(
    "text",
    ["ps_abcdefghijklmnopqrstuvwxyz", "card-ca", "audit", "crl:card-ca/0", "tax-office.example"],
)
def test_opaque_ids_pass(text: str) -> None:
    assert verify_opaque(text) == text


def test_no_id_is_an_answer_too() -> None:
    assert verify_opaque(None) is None


@pytest.mark.req("HCA-48")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "王小明",
        "Wang",
        "wang ming",
        "A123456789",
        "123456789018",
        "１２３",
        "a\n",
        "a" * 97,
        "ps_é",
    ],
)
def test_names_and_numbers_are_no_ids(text: str) -> None:
    with pytest.raises(ValueError, match="opaque"):
        verify_opaque(text)


@given(st.from_regex(r"\A[A-Z][1289A-D][0-9]{7}\Z"))
def test_no_national_id_is_an_opaque_id(prefix: str) -> None:
    with pytest.raises(ValueError, match="opaque"):
        verify_opaque(prefix + national_id_check_digit(prefix))


@given(st.from_regex(r"\A[0-9]{11}\Z"))
def test_no_my_number_is_an_opaque_id(first: str) -> None:
    number = next(filter(is_my_number, (f"{first}{digit}" for digit in range(10))))
    with pytest.raises(ValueError, match="opaque"):
        verify_opaque(number)


@pytest.mark.parametrize(
    "text", ["", "bind", "enrolment.", "Enrolment.bind", "enrolment.bind.phone", "a b.c"]
)
def test_use_cases_have_one_form(text: str) -> None:
    with pytest.raises(ValueError, match=r"feature\.use_case"):
        verify_use_case(text)


def test_report_names_the_first_index() -> None:
    findings = [
        Finding(FindingKind.TIP, "tip", "changed"),
        Finding(FindingKind.TREE, "tile 0/0", "changed", 9),
        Finding(FindingKind.EVENT, "4", "changed", 4),
    ]
    report = Report(events=10, heads=1, pending=0, findings=findings)
    assert (report.is_intact, report.broken_at) == (False, 4)


def test_a_report_without_findings_is_intact() -> None:
    report = Report(events=10, heads=1, pending=2, findings=[])
    assert (report.is_intact, report.broken_at) == (True, None)
