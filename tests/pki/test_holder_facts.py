"""What the certificates of a card say of their holder: five fields and one (JPKI-09, WAT-59)."""

from datetime import date
from types import SimpleNamespace

import msgspec
import pytest
from cryptography import x509

from inkan.crypto.certificate_view import Holder, Sex
from inkan.crypto.holder_attributes import HolderAttributesMalformed
from inkan.crypto.workers.certificate_reader import read_certificate
from inkan.kernel.sensitive import Personal
from inkan.pki import HolderFacts, store
from inkan.pki.model import OrderOutsideProfile, ProfileWrong
from inkan.pki.rules import check_profile, get_profile
from inkan.pki.service.issue import ORDER
from pki.hands import issue, on_sqlite, order, rows

ADDRESS = "東京都千代田区霞が関二丁目1番2号 中央合同庁舎第2号館 別館801号室"
FACTS = HolderFacts(birth_date=date(1988, 3, 14), sex=Sex.FEMALE, address=Personal(ADDRESS))
EXTENSION = x509.ObjectIdentifier("2.5.29.9")


@pytest.mark.req("JPKI-09", "JPKI-14")
async def test_the_signature_certificate_holds_four_facts_and_the_key(world):
    issued = await issue(world, holder=FACTS)
    assert read_certificate(issued.der).holder == Holder(
        name="陳怡君", birth_date=date(1988, 3, 14), sex=Sex.FEMALE, address=ADDRESS
    )
    (shown,) = (each for each in read_certificate(issued.der).extensions if each.oid == "2.5.29.9")
    assert [(line.term, line.value) for line in shown.lines] == [
        ("Date of birth", "19880314"),
        ("Sex", "F"),
        ("Address", ADDRESS),
    ]
    certificate = x509.load_der_x509_certificate(issued.der)
    assert certificate.extensions.get_extension_for_oid(EXTENSION).critical is False
    # The issue number of WAT-59 is the serial number of the subject.
    assert read_certificate(issued.der).subject[-1].value == "1234567890123456"


@on_sqlite
@pytest.mark.req("WAT-59")
async def test_the_authentication_certificate_holds_the_number_alone(world):
    issued = await issue(world, profile="card-auth")
    view = read_certificate(issued.der)
    assert view.holder == Holder()
    assert [(each.oid, each.value) for each in view.subject] == [
        ("2.5.4.6", "TW"),
        ("2.5.4.5", "1234567890123456"),
    ]


@on_sqlite
@pytest.mark.req("WAT-59")
@pytest.mark.parametrize("profile", ["card-auth", "phone-auth", "phone-sign"])
async def test_no_other_certificate_holds_facts(world, profile):
    with pytest.raises(OrderOutsideProfile) as caught:
        await issue(world, profile=profile, holder=FACTS)
    assert caught.value.facts["field"] == "holder"
    assert await rows(world, store.certificate, owner="owner-0") == []


@on_sqlite
async def test_an_address_that_no_certificate_holds_leaves_nothing(world):
    with pytest.raises(HolderAttributesMalformed):
        await issue(world, holder=msgspec.structs.replace(FACTS, address=Personal("x" * 181)))
    assert await rows(world, store.certificate, owner="owner-0") == []
    assert await rows(world, store.public_key, owner="owner-0") == []


@on_sqlite
async def test_the_facts_rest_under_seal(world):
    await issue(world, holder=FACTS)
    (row,) = await rows(world, store.certificate, owner="owner-0")
    assert all(ADDRESS[:30].encode() not in value for value in row if isinstance(value, bytes))


@on_sqlite
async def test_an_order_of_an_earlier_version_is_still_completed(world):
    """Its sealed row has no facts; a crash across an update must not lose it."""
    pki = world.platform.pki
    await world.platform.db.transact(pki.order, order(world))
    (row,) = await rows(world, store.certificate, owner="owner-0")
    plain = msgspec.msgpack.decode(pki._sealer.open(ORDER, row.id, row.order_sealed).reveal())
    del plain["holder_attributes"]
    older = pki._sealer.seal(ORDER, row.id, msgspec.msgpack.encode(plain))
    opened = pki._issue._open_order(SimpleNamespace(id=row.id, order_sealed=older))
    assert opened.holder_attributes is None
    assert opened.common_name == "陳怡君"


@pytest.mark.parametrize(
    ("name", "bent"),
    [("card-auth", {"holder_facts": True}), ("receipt", {"holder_facts": True})],
)
def test_facts_without_a_persons_name_are_no_profile(name, bent):
    with pytest.raises(ProfileWrong):
        check_profile(msgspec.structs.replace(get_profile(name), **bent))
