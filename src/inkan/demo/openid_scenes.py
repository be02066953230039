"""A login by OpenID Connect as a scene of the story: the library knows the standard, the platform's page does the rest."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from inkan.apps.showcase.reading_room.provider import Provider
from inkan.apps.showcase.reading_room.visits import Visits
from inkan.client import AsyncTransport
from inkan.demo.door_scenes import Cast, Scene
from inkan.demo.library import register_library
from inkan.demo.steps import Step
from inkan.demo.visitor import Visitor, link_to
from inkan.kernel.clock import Clock


async def _library(cast: Cast, step: Step) -> None:
    registration = await register_library(cast.country.instance.platform)
    async with (
        AsyncTransport() as transport,
        Visitor(cast.country.platform_origin) as browser,
    ):
        clock = Clock()
        visits = Visits(Provider(registration, transport=transport, clock=clock), clock=clock)
        token, address = await visits.begin("en")
        page, seen = await browser.follow(address)
        step.check("the platform's page says who asks", "library.localhost" in seen)
        seen = await browser.send(page, seen=seen, way="link")
        await cast.phone.open_link(link_to(seen, cast.country.wallet_origin))
        returned = (await cast.phone.approve()).return_url or ""
        led, _ = await browser.follow(returned)
        step.check("the browser is led to the library", led.startswith(registration.redirect_uri))
        inside, cause = await visits.come_back(token, urlsplit(led).query)
        step.check(f"the library believes the answer {cause}".rstrip(), inside)
        visit = visits.find(inside)
        assert visit is not None
        assert visit.reader is not None
        claims = visit.reader.claims
        step.check("it knows a number and no name", claims.sub)
        step.check(f"it is told how: {claims.acr}, {' '.join(claims.amr)}", claims.acr)
        _, again = await visits.come_back(inside, urlsplit(led).query)
        step.check("a second time the answer is refused", again)


SCENES: Mapping[str, tuple[str, Scene]] = {
    "a library asks by OpenID Connect": ("redirect", _library),
}
