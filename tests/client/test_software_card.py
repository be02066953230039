"""The software card: what it signs, what it refuses, and that a PIN try is spent before the PIN is looked at."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest

from inkan.client.card import (
    CardCertificate,
    CardConnection,
    CardEvent,
    CardNotOpen,
    CardRemoved,
    CardRequestDeclined,
    CardRequestRefused,
    DigitsMismatch,
    Giving,
    NoCard,
    NoReader,
    PINLocked,
    PINMalformed,
    WrongPIN,
)
from inkan.client.durable_file import FileBusy
from inkan.client.software_card import (
    READER,
    CardExists,
    CardFileMalformed,
    CertificateNotOfCard,
    SoftwareCard,
)
from inkan.crypto import cms, keys, oids
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.crypto.keys import KeySpec
from inkan.kernel.sensitive import Secret
from inkan.wire import enrolment_request as requests
from inkan.wire.enrolment_request import Purpose
from support.pki import Hierarchy

PIN = Secret("246810")
WRONG = Secret("000000")
BIND = requests.CONTENT_TYPES[Purpose.BIND]
REVOKE = requests.CONTENT_TYPES[Purpose.REVOKE]
RENEW = requests.CONTENT_TYPES[Purpose.RENEW]


def b32(seed: int) -> str:
    from inkan.crypto import base64url

    return base64url.encode(bytes([seed]) * 32)


def bind_content(**changes) -> requests.BindContent:
    members = {
        "v": 1,
        "purpose": "bind",
        "aud": "https://id.example.org",
        "scheme": "tw-citizen",
        "nonce": b32(1),
        "keys": (
            requests.RequestedKey(use="auth", spki_sha256=b32(2)),
            requests.RequestedKey(use="sign", spki_sha256=b32(3)),
        ),
        "credential_id_sha256": b32(4),
        "cose_key_sha256": b32(5),
        "channel_jkt": b32(6),
        "rp_id": "wallet.example.org",
        "back_end": "A",
        "attestation_sha256": b32(7),
        "scope": (),
        "terms_version": "2026-1",
        "phone_name": "ASUS_A007",
        "at": "2026-11-21T12:00:00Z",
    }
    return requests.BindContent(**members | changes)


def revoke_content() -> requests.RevokeContent:
    return requests.RevokeContent(
        v=1,
        purpose="revoke",
        aud="https://id.example.org",
        scheme="tw-citizen",
        nonce=b32(1),
        bindings=("bnd_1",),
        cause="lost",
        at="2026-11-21T12:00:00Z",
    )


CONTENT = bind_content()
BYTES = requests.content_bytes(CONTENT)
DIGITS = requests.pairing_digits(CONTENT)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[bytes, CardCertificate]:
    """One card file for the whole module; each test gets a copy."""
    path = tmp_path_factory.mktemp("card") / "card.inkan"
    card, csr = SoftwareCard.make(path, pin=PIN)
    hierarchy = Hierarchy()
    issued = hierarchy.issuing.issue(
        "Card holder", key=_public_only(csr), usage=["content_commitment"]
    )
    card.put_certificate(issued.der, chain=[hierarchy.issuing.der])
    return path.read_bytes(), CardCertificate(der=issued.der, chain=(hierarchy.issuing.der,))


def _public_only(csr: bytes):
    """What the builder needs of a key that it does not hold."""
    public = verify_csr(parse_csr(csr)).public_key

    class Holder:
        def public_key(self):
            return public

    return Holder()


@pytest.fixture
def path(made, tmp_path: Path) -> Path:
    file = tmp_path / "card.inkan"
    file.write_bytes(made[0])
    return file


@pytest.fixture
def card(path):
    opened: CardConnection = SoftwareCard(path)
    opened.open()
    yield opened
    opened.close()


def _sign(card, content=BYTES, *, content_type=BIND, pin=PIN, digits=DIGITS):
    return card.sign_request(content, content_type=content_type, pin=pin, confirm=lambda _: digits)


# --- making ------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", [KeySpec.RSA2048, KeySpec.P256])
def test_a_card_makes_its_own_key_and_proves_it(tmp_path, spec):
    _, csr = SoftwareCard.make(tmp_path / "card", pin=PIN, spec=spec)
    assert keys.key_spec(verify_csr(parse_csr(csr)).public_key) is spec
    assert stat.S_IMODE((tmp_path / "card").stat().st_mode) == 0o600


def test_a_card_is_never_overwritten(path):
    with pytest.raises(CardExists):
        SoftwareCard.make(path, pin=PIN)


def test_a_certificate_of_another_key_is_not_written(path):
    before = path.read_bytes()
    with pytest.raises(CertificateNotOfCard):
        SoftwareCard(path).put_certificate(Hierarchy().leaf.der)
    assert path.read_bytes() == before


@pytest.mark.parametrize("pin", ["", "12345", "1234567890123", "abcdef", "１２３４５６", "12345 "])
def test_a_new_pin_is_six_to_twelve_digits(tmp_path, card, pin):
    with pytest.raises(PINMalformed):
        SoftwareCard.make(tmp_path / "new", pin=Secret(pin))
    with pytest.raises(PINMalformed):
        card.change_pin(WRONG, Secret(pin))
    assert card.tries_left() == 5


# --- connecting ---------------------------------------------------------------------------------


def test_reader_and_card_come_and_go(path, made):
    card = SoftwareCard(path)
    assert [(reader.name, reader.has_card) for reader in card.readers()] == [(READER, True)]
    with pytest.raises(NoReader):
        card.open("another reader")
    card.open(READER)
    assert card.certificates() == [made[1]]
    path.rename(path.with_name("elsewhere"))
    with pytest.raises(CardRemoved):
        card.certificates()
    with pytest.raises(CardNotOpen):
        card.tries_left()
    with pytest.raises(NoCard):
        card.open()
    assert not card.readers()[0].has_card


def test_removal_is_reported(path):
    events = []
    card = SoftwareCard(path)
    stop = card.watch(lambda reader, event: events.append((reader.has_card, event)))
    try:
        path.rename(path.with_name("elsewhere"))
        _until(lambda: len(events) == 1)
        path.with_name("elsewhere").rename(path)
        _until(lambda: len(events) == 2)
    finally:
        stop()
    assert events == [(False, CardEvent.REMOVED), (True, CardEvent.INSERTED)]


def _until(holds) -> None:
    deadline = monotonic() + 10
    while not holds():
        assert monotonic() < deadline
        sleep(0.01)


def test_a_card_has_one_user_at_a_time(path, card):
    with pytest.raises(FileBusy):
        SoftwareCard(path).open()
    card.close()
    with SoftwareCard(path) as other:
        assert other.tries_left() == 5


def test_a_closed_card_answers_nothing(path):
    card = SoftwareCard(path)
    for ask in (card.certificates, card.tries_left, lambda: card.verify_pin(PIN)):
        with pytest.raises(CardNotOpen):
            ask()


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\xfe", b"[" * 100000])
def test_other_files_are_no_cards(tmp_path, data):
    (tmp_path / "card").write_bytes(data)
    card = SoftwareCard(tmp_path / "card")
    with pytest.raises(CardFileMalformed):
        card.open()
    with pytest.raises(CardNotOpen):
        card.tries_left()


# --- PIN ------------------------------------------------------------------------------------------


def test_five_wrong_pins_lock_for_good(card):
    left = []
    for _ in range(4):
        with pytest.raises(WrongPIN) as wrong:
            card.verify_pin(WRONG)
        left.append(wrong.value.tries_left)
    assert left == [4, 3, 2, 1]
    with pytest.raises(PINLocked):
        card.verify_pin(WRONG)
    assert card.tries_left() == 0
    for _ in range(2):
        with pytest.raises(PINLocked):
            card.verify_pin(PIN)
        with pytest.raises(PINLocked):
            _sign(card)


def test_the_right_pin_gives_the_tries_back(card):
    for _ in range(4):
        with pytest.raises(WrongPIN):
            card.verify_pin(WRONG)
    card.verify_pin(PIN)
    assert card.tries_left() == 5


def test_tries_survive_closing_and_copies_of_the_object(path, card):
    with pytest.raises(WrongPIN):
        card.verify_pin(WRONG)
    card.close()
    with SoftwareCard(path) as again:
        assert again.tries_left() == 4


def test_changed_pin_holds_and_costs_a_try_when_the_old_is_wrong(card, made):
    with pytest.raises(WrongPIN):
        card.change_pin(WRONG, Secret("13579135"))
    assert card.tries_left() == 4
    card.change_pin(PIN, Secret("13579135"))
    assert card.tries_left() == 5
    with pytest.raises(WrongPIN):
        card.verify_pin(PIN)
    card.verify_pin(Secret("13579135"))
    assert card.certificates() == [made[1]]


_DYING = """
import os, sys
from pathlib import Path
from inkan.client.software_card import SoftwareCard
from inkan.kernel.sensitive import Secret

class Dying(SoftwareCard):
    def _open_key(self, card, pin):
        os._exit(9)

card = Dying(Path(sys.argv[1]))
card.open()
card.verify_pin(Secret(sys.argv[2]))
"""


@pytest.mark.crash
@pytest.mark.parametrize("pin", [PIN, WRONG])
def test_a_process_that_dies_before_the_answer_has_lost_the_try(path, pin):
    """Also with the right PIN: otherwise pulling the plug in time would give endless tries."""
    for left in (4, 3):
        died = subprocess.run(
            [sys.executable, "-c", _DYING, str(path), pin.reveal()], env=os.environ, check=False
        )
        assert died.returncode == 9
        with SoftwareCard(path) as card:
            assert card.tries_left() == left


_GUESSING = """
import sys
from pathlib import Path
from inkan.client.card import WrongPIN, PINLocked
from inkan.client.software_card import SoftwareCard
from inkan.kernel.sensitive import Secret

card = SoftwareCard(Path(sys.argv[1]))
card.open()
try:
    while True:
        print("begin", flush=True)
        try:
            card.verify_pin(Secret("000000"))
        except WrongPIN:
            print("end", flush=True)
except PINLocked:
    print("locked", flush=True)
"""


@pytest.mark.crash
@pytest.mark.parametrize("lines", [1, 2, 5])
def test_kill_never_gives_a_try_back(path, lines):
    guessing = subprocess.Popen(
        [sys.executable, "-c", _GUESSING, str(path)], stdout=subprocess.PIPE, env=os.environ
    )
    seen = [guessing.stdout.readline() for _ in range(lines)]
    guessing.send_signal(signal.SIGKILL)
    seen += guessing.stdout.readlines()
    guessing.wait()
    guessing.stdout.close()
    begun, ended = seen.count(b"begin\n"), seen.count(b"end\n") + seen.count(b"locked\n")
    with SoftwareCard(path) as card:
        assert 5 - begun <= card.tries_left() <= 5 - ended


# --- signing ----------------------------------------------------------------------------------------


@pytest.mark.req("HCA-47")
def test_signed_request_is_typed_and_verifies(card, made):
    parsed = cms.parse_signed_data(_sign(card))
    assert parsed.content == BYTES
    assert parsed.content_type == BIND
    assert parsed.signer == made[1].der
    assert set(parsed.certificates) == {made[1].der, *made[1].chain}
    _verify(parsed)


def _verify(parsed: cms.UnverifiedCMS) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    key = x509.load_der_x509_certificate(parsed.signer).public_key()
    key.verify(parsed.signature, parsed.signed_attributes, PKCS1v15(), SHA256())
    import hashlib

    assert hashlib.sha256(parsed.content).digest() in parsed.signed_attributes


def test_dialog_is_told_what_is_given_and_never_the_digits(card):
    told = []
    card.sign_request(
        BYTES, content_type=BIND, pin=PIN, confirm=lambda giving: told.append(giving) or DIGITS
    )
    assert told == [
        Giving(
            purpose="bind",
            scheme="tw-citizen",
            audience="https://id.example.org",
            phone_name="ASUS_A007",
            needs_digits=True,
        )
    ]
    assert DIGITS not in repr(told)


@pytest.mark.parametrize(
    "digits", ["", "00000000", DIGITS[:-1], DIGITS + "0", f" {DIGITS}", DIGITS[::-1], "数"]
)
def test_other_digits_sign_nothing_and_cost_no_try(card, digits):
    with pytest.raises(DigitsMismatch):
        _sign(card, digits=digits)
    assert card.tries_left() == 5


@pytest.mark.parametrize(
    "member",
    ["nonce", "credential_id_sha256", "cose_key_sha256", "channel_jkt", "attestation_sha256"],
)
def test_digits_of_another_phone_do_not_sign_this_one(card, member):
    """The substitution attack: the person types what the own phone shows, the page offers another's content."""
    other = requests.content_bytes(bind_content(**{member: b32(99)}))
    with pytest.raises(DigitsMismatch):
        _sign(card, other)


def test_swapped_keys_have_other_digits(card):
    swapped = (
        requests.RequestedKey(use="auth", spki_sha256=b32(98)),
        requests.RequestedKey(use="sign", spki_sha256=b32(3)),
    )
    with pytest.raises(DigitsMismatch):
        _sign(card, requests.content_bytes(bind_content(keys=swapped)))


def test_declining_signs_nothing_and_costs_no_try(card):
    def decline(_):
        raise CardRequestDeclined

    with pytest.raises(CardRequestDeclined):
        card.sign_request(BYTES, content_type=BIND, pin=PIN, confirm=decline)
    assert card.tries_left() == 5


def test_revocation_needs_the_dialog_but_no_digits(card):
    told = []
    signed = card.sign_request(
        requests.content_bytes(revoke_content()),
        content_type=REVOKE,
        pin=PIN,
        confirm=lambda giving: told.append(giving) or "",
    )
    assert cms.parse_signed_data(signed).content_type == REVOKE
    assert [(giving.purpose, giving.needs_digits) for giving in told] == [("revoke", False)]


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (bytes(32), BIND),  # a bare digest
        (b"", BIND),
        (b"PAY 1000", BIND),
        (BYTES + b" ", BIND),
        (BYTES, REVOKE),
        (requests.content_bytes(revoke_content()), BIND),
        (BYTES, RENEW),
        (BYTES, "1.2.840.113549.1.7.1"),
        (BYTES, oids.CONTENT_WINDOW),
        (BYTES, ""),
        (b"{" * 20000, BIND),
    ],
)
def test_nothing_else_is_signed(card, content, content_type):
    asked = []
    with pytest.raises(CardRequestRefused):
        card.sign_request(
            content, content_type=content_type, pin=PIN, confirm=lambda g: asked.append(g) or DIGITS
        )
    assert not asked
    assert card.tries_left() == 5


def test_wrong_pin_signs_nothing(card):
    with pytest.raises(WrongPIN):
        _sign(card, pin=WRONG)
    assert card.tries_left() == 4


def test_a_card_without_a_certificate_signs_nothing(tmp_path):
    bare, _ = SoftwareCard.make(tmp_path / "card", pin=PIN, spec=KeySpec.P256)
    with bare:
        assert bare.certificates() == []
        with pytest.raises(CardRequestRefused):
            _sign(bare)
