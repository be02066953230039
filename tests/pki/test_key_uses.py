"""What keys did stands in the audit: CA keys before and after, the others by the minute."""

from collections import Counter

import pytest

from inkan.crypto.key_providers import KeyPurpose
from inkan.crypto.keys import KeySpec
from inkan.kernel.errors import Unavailable
from inkan.pki import store
from inkan.pki.model import KeyDiffers
from pki.hands import issue, on_sqlite, rows
from support.world import World


async def test_a_list_has_its_intent_and_its_end(world: World) -> None:
    before = Counter(await world.events())
    await world.platform.pki.crl("card")
    written = Counter(await world.events()) - before
    assert written == {"pki.ca_key_intended": 1, "pki.ca_key_used": 1}
    await world.platform.pki.crl("card")  # as stored
    assert Counter(await world.events()) - before == written


async def test_a_list_that_was_not_signed_leaves_its_intent(world: World) -> None:
    world.platform.pki.hierarchy._signing.clear()
    world.platform.pki.hierarchy._keys = None  # type: ignore[assignment]
    with pytest.raises(AttributeError):
        await world.platform.pki.crl("card")
    assert "pki.ca_key_intended" in await world.events()
    assert "pki.ca_key_used" not in await world.events()


async def test_a_ceremony_has_its_intent_and_its_end(world: World) -> None:
    events = Counter(await world.events())
    assert events["pki.ceremony_begun"] == events["pki.ceremony_held"] == 1


async def test_uses_are_counted_by_the_minute(world: World) -> None:
    await issue(world, 1)
    await world.platform.pki.record_key_uses()
    found = {(row.key_label, row.purpose): row for row in await rows(world, store.key_use)}
    assert found["ca.card", "cert"].signed == 2  # its OCSP signer in the ceremony, and this one
    assert found["ca.root", "cert"].signed == 4  # itself, and three authorities
    assert {row.refused for row in found.values()} == {0}
    assert "pki.keys_counted" in await world.events()  # and the log agrees with the rows
    await world.platform.pki.record_key_uses()
    assert len(await rows(world, store.key_use)) == len(found)  # nothing happened since


async def test_counts_survive_a_database_that_refuses(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await issue(world, 1)
    with monkeypatch.context() as patch:

        async def refuse(*_: object) -> None:
            raise Unavailable

        patch.setattr(world.platform.db, "transact", refuse)
        with pytest.raises(Unavailable):
            await world.platform.pki.record_key_uses()
    await world.platform.pki.record_key_uses()
    found = {(row.key_label, row.purpose): row for row in await rows(world, store.key_use)}
    assert found["ca.card", "cert"].signed == 2


async def test_heads_are_not_counted(world: World) -> None:
    """A count is an event, an event asks for a head, and a head would be counted: for ever."""
    await world.platform.audit.sequence_once()
    assert await world.platform.audit.sign_head() is not None
    await world.platform.pki.record_key_uses()
    assert "audit_head" not in {row.purpose for row in await rows(world, store.key_use)}


@on_sqlite
async def test_another_key_under_the_label_signs_nothing(world: World) -> None:
    """The provider was exchanged, or its folder: the certificate says which key is meant."""
    hierarchy = world.platform.pki.hierarchy
    keys = world.platform.keys
    card = hierarchy.get("card")
    keys.generate("ca.other", KeySpec.P256, (KeyPurpose.CERT, KeyPurpose.CRL))

    class Exchanged:
        def signer(self, label: str, purpose: KeyPurpose) -> object:
            return keys.signer("ca.other", purpose)

    hierarchy._signing.clear()
    hierarchy._keys = Exchanged()  # type: ignore[assignment]
    with pytest.raises(KeyDiffers) as refused:
        hierarchy.key_of(card, KeyPurpose.CERT)
    assert refused.value.facts == {"authority": "card"}
