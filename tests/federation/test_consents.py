"""A consent that is taken back between the phone's answer and the grant's, or of which no grant knows."""

from federation.logins import NAME, Client, kept
from inkan.federation.service.consents import on_consent_taken_back
from inkan.identification import ConsentTakenBack
from inkan.kernel.ids import SessionID


async def test_a_grant_that_comes_later_keeps_nothing(client: Client):
    asked = client.asked("openid profile")
    made, key = await client.begun(asked)
    view = await client.agreed(made)
    assert view.claims["name"]["value"] == NAME
    [consent] = await client.phone.consents()
    await client.phone.withdraw_consent(consent["id"])
    await client.answer(key, view, receipt="e.y.J")
    assert NAME not in repr(await kept(client, key))


async def test_sessions_without_a_grant_concern_nobody(client: Client):
    await on_consent_taken_back(client.parts, ConsentTakenBack(session=SessionID("ses_1")))


async def test_a_grant_that_awaits_its_answer_is_left_alone(client: Client):
    made, key = await client.begun(client.asked("openid profile"))
    event = ConsentTakenBack(session=SessionID(made.session.id))
    await on_consent_taken_back(client.parts, event)
    await client.answer(key, await client.agreed(made), receipt="e.y.J")
    assert NAME in repr(await kept(client, key))
