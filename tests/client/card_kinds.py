"""The kinds of cards that the contract of CardConnection is tried on: each made, opened, pulled out, put back."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any, NamedTuple

import pkcs11
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters
from pkcs11.util.x509 import decode_x509_certificate

from client.card_requests import PIN
from inkan.client.card import CardCertificate, CardConnection
from inkan.client.pcsc import PCSC
from inkan.client.piv_card import PivCard
from inkan.client.piv_layout import KeyUse
from inkan.client.pkcs11_card import Pkcs11Card
from inkan.client.software_card import SoftwareCard
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.crypto.keys import KeySpec
from inkan.crypto.pkcs11.module import Module
from inkan.kernel.sensitive import Secret
from support import softhsm as softhsm_tokens
from support.card_in_process import ReaderInProcess
from support.piv_applet import PivApplet
from support.pki import Hierarchy
from support.tools import require
from support.vpcd import Service, Slot

MANAGEMENT_KEY = Secret(bytes(range(16)))
UNLOCK_KEY = Secret("87654321")
AUTHENTICATION_PIN = Secret("1357")


class Tried(NamedTuple):
    """A card under test.

    Attributes:
        card: open.
        certificate: what it must return.
        pull: takes the card away.
        insert: puts it back.
        connect: makes another connection, not open.
        counts: whether it tells every number of tries, or only 0, 1 and more.
    """

    card: CardConnection
    certificate: CardCertificate
    pull: Callable[[], None]
    insert: Callable[[], None]
    connect: Callable[[], CardConnection]
    counts: bool = True

    def told(self, tries: int) -> int:
        """What the card says of so many tries."""
        return tries if self.counts else min(tries, 2)


class Personalised(NamedTuple):
    """A test card as it leaves the counter, and what was written into it."""

    applet: PivApplet
    certificate: CardCertificate
    root: bytes

    def again(self) -> PivApplet:
        """A card of its own with the same keys and contents, and all tries."""
        applet = PivApplet(signature_pin=PIN.reveal())
        applet.keys = dict(self.applet.keys)
        applet.containers = copy.deepcopy(self.applet.containers)
        return applet


class PublicOnly(NamedTuple):
    """What the test authority needs of a key that it does not hold."""

    public: object

    def public_key(self):
        return self.public


def personalise(spec: KeySpec) -> Personalised:
    """Make both keys inside the card and write the certificates, as a counter does."""
    applet, hierarchy = PivApplet(signature_pin=PIN.reveal()), Hierarchy()
    pins = {KeyUse.SIGNATURE: PIN, KeyUse.AUTHENTICATION: AUTHENTICATION_PIN}
    usage = {KeyUse.SIGNATURE: "content_commitment", KeyUse.AUTHENTICATION: "digital_signature"}
    issued = {}
    for use, pin in pins.items():
        with PivCard(ReaderInProcess(applet), use) as card:
            csr = card.make_key(spec, pin=pin, management_key=MANAGEMENT_KEY)
            key = PublicOnly(verify_csr(parse_csr(csr)).public_key)
            issued[use] = hierarchy.issuing.issue("Card holder", key=key, usage=[usage[use]]).der
            card.put_certificate(
                issued[use],
                issuers=[hierarchy.root.der, hierarchy.issuing.der],
                pin=pin,
                management_key=MANAGEMENT_KEY,
            )
    certificate = CardCertificate(der=issued[KeyUse.SIGNATURE], chain=(hierarchy.issuing.der,))
    return Personalised(applet, certificate, hierarchy.root.der)


@contextmanager
def software(made: tuple[bytes, CardCertificate], folder: Path) -> Iterator[Tried]:
    """The card that lies in a file."""
    path, away = folder / "card.inkan", folder / "elsewhere"
    path.write_bytes(made[0])
    with SoftwareCard(path) as card:
        yield Tried(
            card,
            made[1],
            pull=lambda: path.rename(away),
            insert=lambda: away.rename(path),
            connect=lambda: SoftwareCard(path),
        )


@contextmanager
def in_process(made: Personalised) -> Iterator[Tried]:
    """The applet, spoken to in this process."""
    applet = made.again()
    reader = ReaderInProcess(applet)
    with PivCard(reader) as card:
        yield Tried(
            card,
            made.certificate,
            pull=reader.pull,
            insert=lambda: reader.insert(applet),
            connect=lambda: PivCard(reader),
        )


@contextmanager
def softhsm(spec: KeySpec, folder: Path) -> Iterator[Tried]:
    """A token that nobody pulls out and that never locks: what is left of the contract when there is no card."""
    with softhsm_tokens.token_in(folder) as token, softhsm_tokens.patient(token.module) as module:
        module.reset(module.generation)
        certificate = _certify(token, module, spec)
        connect = partial(Pkcs11Card, token.module, issuers=certificate.chain)
        with connect() as card:
            yield Tried(card, certificate, _never, _never, connect, counts=False)


def _certify(token: softhsm_tokens.Token, module: Module, spec: KeySpec) -> CardCertificate:
    """Make a key pair in the token, put a certificate beside it, and give the token the tests' PIN."""
    hierarchy, key_id = Hierarchy(), b"\x01"
    with module.inside():
        found = module.library.get_token(token_label=token.label)
        with found.open(rw=True, user_pin=softhsm_tokens.PIN) as session:
            key = PublicOnly(_make_key(session, spec, key_id))
            issued = hierarchy.issuing.issue("Card holder", key=key, usage=["content_commitment"])
            shown = {pkcs11.Attribute.ID: key_id, pkcs11.Attribute.TOKEN: True}
            session.create_object(decode_x509_certificate(issued.der) | shown)
            session.set_pin(softhsm_tokens.PIN, PIN.reveal())
    return CardCertificate(der=issued.der, chain=(hierarchy.issuing.der,))


def _make_key(session: Any, spec: KeySpec, key_id: bytes) -> Any:
    if spec is KeySpec.RSA2048:
        made, _ = session.generate_keypair(pkcs11.KeyType.RSA, 2048, id=key_id, store=True)
        modulus, exponent = (
            int.from_bytes(made[each], "big")
            for each in (pkcs11.Attribute.MODULUS, pkcs11.Attribute.PUBLIC_EXPONENT)
        )
        return RSAPublicNumbers(exponent, modulus).public_key()
    curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
    parameters = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
    made, _ = parameters.generate_keypair(id=key_id, store=True)
    return load_der_public_key(encode_ec_public_key(made))


def _never() -> None:
    raise AssertionError("a token is not pulled out")


@contextmanager
def pcsc(made: Personalised, service: Service) -> Iterator[Tried]:
    """The same applet in a virtual reader, spoken to through the PC/SC service."""
    applet, slot = made.again(), Slot(service)
    slot.insert(applet)
    wait_for_card(present=True)
    try:
        with PivCard(PCSC()) as card:
            yield Tried(
                card,
                made.certificate,
                pull=lambda: (slot.pull(), wait_for_card(present=False)),
                insert=lambda: (slot.insert(applet), wait_for_card(present=True)),
                connect=lambda: PivCard(PCSC()),
            )
    finally:
        slot.pull()
        wait_for_card(present=False)


@contextmanager
def opensc(made: Personalised, service: Service) -> Iterator[Tried]:
    """The same again, through OpenSC's module: another reading of the same standard."""
    module = require("opensc")
    applet, slot = made.again(), Slot(service)
    slot.insert(applet)
    wait_for_card(present=True)

    def connect() -> Pkcs11Card:
        return Pkcs11Card(module, issuers=made.certificate.chain)

    try:
        with connect() as card:
            yield Tried(
                card,
                made.certificate,
                pull=lambda: (slot.pull(), wait_for_card(present=False)),
                insert=lambda: (slot.insert(applet), wait_for_card(present=True)),
                connect=connect,
                counts=False,
            )
    finally:
        slot.pull()
        wait_for_card(present=False)


def wait_for_card(*, present: bool) -> None:
    """Return when the service has noticed."""
    deadline = monotonic() + 20
    while any(each.has_card for each in PCSC().readers()) is not present:
        assert monotonic() < deadline
        sleep(0.02)
