"""The phone's own requests: settings ask the person once, and every request has a proof of its own."""

from client.phones import bound
from inkan.client.authenticator_data import Ceremony
from inkan.wire.enrolment_request import RevokeCause


async def test_settings_ask_the_person_once(tmp_path, platform):
    asked = []
    async with bound(tmp_path, platform, verify_user=lambda c: asked.append(c) or True) as phone:
        asked.clear()
        [phone_view] = await phone.phones()
        assert (phone_view.id, phone_view.this) == ("id-phone", True)
        assert await phone.records() == [{"id": "rec_1"}]
        assert asked == [Ceremony.GET]
        await phone.revoke("id-phone", RevokeCause.LOST)
        assert platform.revoked == {"phone": "id-phone", "reason": "lost"}


async def test_every_request_has_a_proof_of_its_own(tmp_path, platform):
    """The stand-in refuses a proof that it has seen; this names what would otherwise pass unnoticed."""
    async with bound(tmp_path, platform):
        assert len(platform._seen) >= 4
