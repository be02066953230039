"""Sealed columns and keyed look-ups."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto.aead import SealBroken
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Personal, Secret
from inkan.store.sealing import SealedColumn, Sealer, SealKeyMissing

NAME = SealedColumn("people_person", "name")
BIRTH = SealedColumn("people_person", "birth")
KEYS = {number: Secret(random_bytes(32)) for number in (1, 2, 3)}
LOOKUPS = {number: Secret(random_bytes(32)) for number in (1, 2)}


def sealer(*versions: int) -> Sealer:
    return Sealer(sealing={number: KEYS[number] for number in versions}, lookup={1: LOOKUPS[1]})


@given(st.text(), st.text())
def test_a_value_opens_in_its_place(value: str, row: str) -> None:
    sealed = sealer(1).seal(NAME, row, Personal(value))
    assert len(sealed) == len(value.encode()) + 30
    assert sealer(1).open_text(NAME, row, sealed) == Personal(value)
    assert sealer(1).open(NAME, row, sealed) == Personal(value.encode())


def test_bytes_are_sealed_too_and_never_twice_alike() -> None:
    first, second = (sealer(1).seal(NAME, "p", value) for value in (b"x", Personal(b"x")))
    assert first != second
    assert sealer(1).open(NAME, "p", first) == sealer(1).open(NAME, "p", second)


@pytest.mark.parametrize(
    ("place", "row"),
    [
        (NAME, "other"),
        (BIRTH, "p"),
        (SealedColumn("people_card", "name"), "p"),
        (SealedColumn("people_personname", ""), "p"),
        (SealedColumn("people_person", "namep"), ""),
    ],
)
def test_a_value_moved_elsewhere_does_not_open(place: SealedColumn, row: str) -> None:
    sealed = sealer(1).seal(NAME, "p", b"secret")
    with pytest.raises(SealBroken):
        sealer(1).open(place, row, sealed)


@given(st.data())
def test_changed_bytes_do_not_open(data: st.DataObject) -> None:
    sealed = sealer(1, 2).seal(NAME, "p", b"secret")
    where = data.draw(st.integers(0, len(sealed) - 1))
    changed = bytearray(sealed)
    changed[where] ^= data.draw(st.integers(1, 255))
    with pytest.raises((SealBroken, SealKeyMissing)):
        sealer(1, 2).open(NAME, "p", bytes(changed))


@given(st.binary(max_size=40))
def test_what_was_never_sealed_is_refused(sealed: bytes) -> None:
    with pytest.raises((SealBroken, SealKeyMissing)):
        sealer(1).open(NAME, "p", sealed)


def test_keys_change_without_a_break() -> None:
    old = sealer(1).seal(NAME, "p", b"secret")
    both = sealer(1, 2)
    new = both.seal(NAME, "p", b"secret")
    assert both.open(NAME, "p", old) == both.open(NAME, "p", new)
    assert both.is_aged(old)
    assert not both.is_aged(new)
    with pytest.raises(SealKeyMissing):
        sealer(1).open(NAME, "p", new)


def test_the_version_is_bound_too() -> None:
    """The same key under two versions (a mistake) still does not open across them."""
    twice = Sealer(sealing={1: KEYS[1], 2: KEYS[1]}, lookup=LOOKUPS)
    sealed = twice.seal(NAME, "p", b"secret")
    with pytest.raises(SealBroken):
        twice.open(NAME, "p", b"\0\1" + sealed[2:])


def test_look_ups_are_stable_and_apart() -> None:
    first = sealer(1).lookup("national_id", Personal("A123456789"))
    assert first == sealer(2).lookup("national_id", "A123456789")
    assert len(first) == 34
    others = {
        sealer(1).lookup("national_id", "A123456788"),
        sealer(1).lookup("phone", "A123456789"),
        sealer(1).lookup("national_i", "dA123456789"),
        Sealer(sealing=KEYS, lookup={1: LOOKUPS[2]}).lookup("national_id", "A123456789"),
    }
    assert len(others | {first}) == 5


def test_a_row_may_be_looked_up_under_older_keys() -> None:
    both = Sealer(sealing=KEYS, lookup=LOOKUPS)
    newest, older = both.lookups("national_id", Personal("A123456789"))
    assert newest == both.lookup("national_id", "A123456789")
    assert older == sealer(1).lookup("national_id", "A123456789")


def test_nothing_of_the_value_shows() -> None:
    value = Personal("王小明")
    sealed = sealer(1).seal(NAME, "p", value)
    assert "王".encode() not in sealed
    assert "王" not in repr(sealer(1).open(NAME, "p", sealed))


def test_keys_come_from_a_provider(tmp_path: Path) -> None:
    from inkan.crypto.key_files import EncryptedFileKeyProvider

    provider = EncryptedFileKeyProvider(tmp_path / "keys", Secret("passphrase"))
    sealed = Sealer.of(provider).seal(NAME, "p", b"secret")
    again = Sealer.of(EncryptedFileKeyProvider(tmp_path / "keys", Secret("passphrase")), versions=2)
    assert again.open(NAME, "p", sealed) == Personal(b"secret")
    assert again.is_aged(sealed)
