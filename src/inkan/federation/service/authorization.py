"""What the pages and the endpoint for pushed requests call."""

from inkan.federation.model.response import AuthorizationResponse, LoginPage, Rendered
from inkan.federation.service import authorizing, pushing, responses, returning
from inkan.federation.service.clients import find_client
from inkan.federation.service.expecting import Hinted
from inkan.federation.service.modes import MODES
from inkan.federation.service.parameters import Parameters
from inkan.federation.service.parts import Parts
from inkan.federation.service.pushing import Pushed
from inkan.federation.service.responses import Sign


class Authorization:
    """The authorization endpoint, its return, and pushed requests."""

    def __init__(self, parts: Parts, *, sign: Sign, hinted: Hinted) -> None:
        """``sign`` makes signed answers under the provider's own keys; ``hinted`` reads its own ID tokens."""
        self._parts = parts
        self._sign = sign
        self._hinted = hinted

    async def begin(
        self, parameters: Parameters, *, browser: str, login: str
    ) -> LoginPage | Rendered:
        """See :func:`inkan.federation.service.authorizing.begin`."""
        begun = await authorizing.begin(
            self._parts, parameters, hinted=self._hinted, browser=browser, login=login
        )
        return begun if isinstance(begun, LoginPage) else await self._render(begun)

    async def finish(
        self, session: str, *, return_code: str, browser: str, login: str
    ) -> tuple[Rendered, str | None]:
        """See :func:`inkan.federation.service.returning.finish`; the answer, and the cookie of the login."""
        finished = await returning.finish(
            self._parts, session, return_code=return_code, browser=browser, login=login
        )
        return await self._render(finished.response), finished.login_cookie

    async def push(self, client: str, parameters: Parameters, *, jkt: str | None) -> Pushed:
        """See :func:`inkan.federation.service.pushing.push`; ``client`` is authenticated."""
        found = await find_client(self._parts, client, signs=bool(parameters.get("request")))
        return await pushing.push(self._parts, found, parameters, hinted=self._hinted, jkt=jkt)

    async def _render(self, response: AuthorizationResponse) -> Rendered:
        if not MODES[response.response_mode].is_signed:
            return responses.render(response, response.members)
        client = await find_client(self._parts, response.client)
        signed = await responses.sign(self._parts, self._sign, response, client.openid)
        return responses.render(response, {"response": signed})
