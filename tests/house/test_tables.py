"""Tables are total: a new member of an enum cannot be forgotten in the table that decides by it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import pytest

from inkan.kernel.machine import AnyMachine, Machine
from support import repository

# Tables that leave members out on purpose, each with its reason.
PARTIAL = {
    "inkan.crypto.jose._RSA_PADDING": "paddings are a matter of the RSA algorithms",
    "inkan.composition.keys.KINDS": "the other formats have no kinds",
    "inkan.composition.keys.SETS": "secrets stay in the encrypted files",
    "inkan.crypto.key_guard.FORMATS": "secrets sign nothing",
    "inkan.crypto.pkcs11.provider._CURVES": "RSA keys have no curve",
    "inkan.crypto.pkcs11.provider._MODULI": "keys on a curve have no modulus",
    "inkan.crypto.pkcs11.provider._RSA_MECHANISMS": "ECDSA has one mechanism, and its digest is made here",
    "inkan.federation.service.keys.SPECS": "the provider signs by two algorithms; PS256 is for clients' own keys",
    "inkan.pki.service.signing_policy.MAX_LIST_LIFE": "only authorities sign lists",
    "inkan.crypto.keys._MODULUS_TESTS": "the other weaknesses are no property of a modulus",
    "inkan.crypto.workers.linters._ETSI_TYPES": "the PKIX linter knows no ETSI certificate type",
    "inkan.identification.service.parts._FLAWS": "any other state is no answer about a certificate",
    "inkan.pki.service.ceremony._RENEWED_BEFORE": "authorities and the receipt signer are renewed by a ceremony",
    "inkan.pki.service.status._QUERIES": "intend, sign and refuse belong to the issuance statements",
    "inkan.pki.service.sources._STATES": "a certificate that was never issued has no status",
    "inkan.web.languages._FOLDERS": "English is the language of the message ids",
    "inkan.web.languages._ERAS": "English dates have no other era",
}
# Machines whose state enum holds states that the machine itself never enters, each with its reason.
FOREIGN_STATES: dict[str, str] = {
    "inkan.enrolment.rules.MACHINE": "time alone expires a request: the state is computed, not stored",
}


def enum_of(table: Mapping[Any, Any]) -> type[StrEnum] | None:
    """The one enum of Inkan that all keys are members of."""
    kinds = {type(key) for key in table}
    kind = kinds.pop() if len(kinds) == 1 else None
    is_ours = (
        kind is not None and issubclass(kind, StrEnum) and kind.__module__.startswith("inkan.")
    )
    return kind if is_ours else None


def tables() -> dict[str, tuple[Mapping[Any, Any], type[StrEnum]]]:
    found = ((name, value) for name, value in repository.values() if isinstance(value, Mapping))
    return {name: (table, kind) for name, table in found if (kind := enum_of(table)) is not None}


def machines() -> dict[str, AnyMachine]:
    return {name: value for name, value in repository.values() if isinstance(value, Machine)}


def test_every_table_over_an_enum_is_total() -> None:
    lacking = {
        name: sorted(set(kind) - set(table))
        for name, (table, kind) in tables().items()
        if set(table) != set(kind) and name not in PARTIAL
    }
    assert lacking == {}


def test_every_state_of_a_machine_is_reachable_and_every_event_moves_it() -> None:
    wrong: dict[str, list[str]] = {}
    for name, machine in machines().items():
        states = set(type(machine.start)) - machine.reachable
        events = {kind for _, event in machine.rows for kind in type(event)}
        idle = {event for event in events if not machine.before(event)}
        if (states or idle) and name not in FOREIGN_STATES:
            wrong[name] = sorted(states | idle)
    assert wrong == {}


@pytest.mark.parametrize("listed", [PARTIAL, FOREIGN_STATES])
def test_every_exception_is_still_one_and_has_a_reason(listed: dict[str, str]) -> None:
    assert set(listed) <= {name for name, _ in repository.values()}
    assert all(len(reason) > 10 for reason in listed.values())
    total = {name for name, (table, kind) in tables().items() if set(table) == set(kind)}
    assert not total & set(listed), "total by now: take it off the list"


def test_a_hole_in_a_table_is_found() -> None:
    from inkan.kernel.errors import Category

    assert enum_of({Category.GONE: 410}) is Category
    assert enum_of({"gone": 410}) is None
    assert enum_of({}) is None
