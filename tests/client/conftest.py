"""Fixtures of the clients' tests: the stand-ins they speak to, a card, and a world of evidence."""

from pathlib import Path

import pytest

from client.card_requests import PIN
from client.sides import KEY, Side, Stopwatch
from inkan.client.card import CardCertificate, CardConnection
from inkan.client.software_card import SoftwareCard
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from support import vpcd
from support.phone_platform import PhonePlatform
from support.pki import Hierarchy
from support.receipt_world import ReceiptWorld
from support.rp_platform import RPPlatform

pytest.register_assert_rewrite("client.verdicts")


@pytest.fixture
def platform() -> PhonePlatform:
    return PhonePlatform()


@pytest.fixture(scope="module")
def world() -> ReceiptWorld:
    return ReceiptWorld()


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


@pytest.fixture(scope="session")
def service(card_service: vpcd.Service) -> vpcd.Service:
    """The PC/SC service."""
    return card_service


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


@pytest.fixture(params=["async", "sync"])
def side(request) -> Side:
    return Side(request.param, RPPlatform(KEY.public_key()), Stopwatch())
