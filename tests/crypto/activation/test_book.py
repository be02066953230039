"""The book: what it remembers, that its chain shows every change, and that a torn end is no harm."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto.activation.book import Book, Pin, read_book
from inkan.crypto.key_providers import KeyStoreDamaged, KeyStoreLocked
from inkan.kernel.clock import Clock

FACTS = {
    "use": "auth",
    "csr": b"csr",
    "order_sha256": bytes(32),
    "credential_id": b"credential",
    "cose_key": b"cose",
    "backup_eligible": False,
    "sign_count": 3,
}


def book(path: Path) -> Book:
    return Book(path, Clock().now)


def written(path: Path) -> Pin:
    """A book of three lines: two keys, one use."""
    made = book(path)
    first = made.pin(label="enr_1.auth", spki=b"first", **FACTS)
    made.pin(label="enr_1.sign", spki=b"second", **FACTS)
    made.use(first, assertion_sha256=b"a" * 32, content_sha256=b"c" * 32, sign_count=9)
    made.close()
    return first


def test_it_remembers(tmp_path: Path) -> None:
    path = tmp_path / "book.jsonl"
    first = written(path)
    again = book(path)
    assert again.find(first.spki_sha256) == again.pin_of("enr_1.auth") == first
    assert (again.is_used(b"a" * 32), again.is_used(b"b" * 32)) == (True, False)
    assert again.sign_count(b"credential") == 9
    again.end(first)
    assert (again.find(first.spki_sha256), again.pin_of("enr_1.auth")) == (None, first)
    again.close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_holds_hashes_of_what_was_signed_and_not_the_content(tmp_path: Path) -> None:
    path = tmp_path / "book.jsonl"
    written(path)
    used = path.read_bytes().splitlines()[2]
    assert b"content_sha256" in used
    assert b"statement" not in used


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[1:],
        lambda lines: [lines[0], lines[2]],
        lambda lines: [lines[1], lines[0], lines[2]],
        lambda lines: [lines[0].replace(b'"sign_count":3', b'"sign_count":2'), *lines[1:]],
        lambda lines: [*lines, lines[2]],
        lambda lines: [*lines, b"{}"],
    ],
)
def test_every_change_breaks_the_chain(tmp_path: Path, change) -> None:
    path = tmp_path / "book.jsonl"
    written(path)
    lines = change(path.read_bytes().splitlines())
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    with pytest.raises(KeyStoreDamaged):
        book(path)


def test_a_torn_end_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "book.jsonl"
    first = written(path)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"is":"ended","numb')
    again = book(path)
    assert again.find(first.spki_sha256) is not None
    again.close()
    assert path.read_bytes() == whole


def test_a_book_that_cannot_be_opened_is_a_locked_store(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreLocked):
        book(tmp_path / "no folder" / "book.jsonl")


@given(st.binary(max_size=300))
def test_whatever_stands_in_it_reading_refuses_cleanly(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("book") / "book.jsonl"
    path.write_bytes(data)
    with suppress(KeyStoreDamaged):
        list(read_book(path))
