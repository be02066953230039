"""An identity hides itself, and shows a mask."""

import copy
import pickle
from datetime import date

import pytest

from inkan.kernel.identifiers import Residence
from people.persons import identity


@pytest.mark.req("HCA-48")
def test_a_masked_identity_keeps_little() -> None:
    masked = identity(name="歐陽小明", prefix="A12345678").masked
    assert (masked.name, masked.national_id, masked.birth_year) == ("歐○○明", "A1******89", 1990)


@pytest.mark.parametrize(
    "text", [repr(identity()), repr([identity()]), repr({"who": identity()}), f"{identity()!r}"]
)
def test_an_identity_does_not_print(text: str) -> None:
    assert "<Identity>" in text
    assert not any(part in text for part in ("王", "A1", "1990", "5", "17"))


def test_an_identity_has_nothing_for_pretty_printers() -> None:
    assert identity().__rich_repr__() == []


def test_an_identity_is_not_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(identity())


def test_identities_are_equal_by_value() -> None:
    assert identity() == identity()
    assert identity() != identity(name="王大明")
    assert identity() != identity(birth_date=date(1990, 5, 18))
    assert copy.copy(identity()) == identity()


@pytest.mark.req("TW-08")
@pytest.mark.parametrize(
    ("prefix", "residence"),
    [
        ("A12345678", Residence.NATIONAL),
        ("A22345678", Residence.NATIONAL),
        ("A80000001", Residence.RESIDENT),
        ("TD0025112", Residence.RESIDENT),
    ],
)
def test_residence_follows_from_the_number(prefix: str, residence: Residence) -> None:
    assert identity(prefix=prefix).residence is residence
