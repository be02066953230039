"""Cookies of people who are logged in at an instance, for whoever attacks their browsers."""

from inkan.accounts import LOGIN_COOKIE, Role
from inkan.kernel.ids import SessionID
from relying_parties.applicants import hire_token
from support.world import World


async def person_login(world: World) -> dict[str, str]:
    """A person's browser: without a login a person's pages ask for it first."""
    person = (await world.citizen("chen")).person.id
    token = await world.platform.accounts.login_person(
        person, session=SessionID("ses_victim"), replaces=None
    )
    return {LOGIN_COOKIE: token.token.reveal()}


async def staff_login(world: World) -> dict[str, str]:
    """The browser of somebody of the offices who may do everything."""
    everything = sorted(set(Role) - {Role.PERSON})
    token = await hire_token(world.platform.accounts, *everything, name="victim")
    return {LOGIN_COOKIE: token.token.reveal()}
