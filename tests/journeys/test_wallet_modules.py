"""The wallet's modules against a served country: a card binds the phone, an agency asks, the answer verifies.

The modules run in node; a browser's journey has the same with screens, camera and a real authenticator's dialogs.
"""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from inkan.client import EnrolmentClient, Verdict
from inkan.client.authenticator import AuthenticatorState, SoftwareAuthenticator
from journeys.served_country import Place, found, sign, start
from support.node import Asked, Node
from support.ports import free_port


@pytest.fixture
def node() -> Iterator[Node]:
    process = Node()
    yield process
    process.close()


@pytest.fixture
def network() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


def world_of(place: Place, client: httpx.Client) -> Asked:
    """The network of this machine, and an authenticator whose owner is there."""

    def send(request: httpx.Request) -> httpx.Response:
        # Names under localhost are this machine; the Host field keeps the name.
        request.url = request.url.copy_with(host="127.0.0.1")
        return client.send(request)

    owner = SoftwareAuthenticator(AuthenticatorState(), verify_user=lambda _: True)
    return Asked(send=send, authenticator=owner, origin=wallet_of(place))


def wallet_of(place: Place) -> str:
    return place.environment["INKAN_ORIGINS__WALLET"]


@pytest.mark.long
@pytest.mark.req("TW-26", "TW-28", "TW-42")
async def test_a_card_binds_a_phone_that_answers_an_agency(
    tmp_path: Path, node: Node, network: httpx.Client
) -> None:
    place = await found(tmp_path / "home", port=free_port(), newcomers=1, bound=False)
    (citizen,) = place.citizens
    async with place.serving(), place.agency() as agency, EnrolmentClient(place.platform) as desk:
        node.asked = world_of(place, network)
        node.open(
            "phone",
            "memory",
            platform=place.platform,
            walletOrigin=wallet_of(place),
            lang="zh-Hant",
        )
        node.phone("phone", "setName", "我的手機")
        started = await start(desk)
        node.phone("phone", "join", await started.frame())
        digits = node.phone("phone", "prepare")["result"]
        await started.submit(await sign(started, citizen, digits))
        bound = node.phone("phone", "collect", {"waitS": 20})
        assert set(bound["certificates"]) == {"auth", "sign"}

        session = await agency.create_session("identify", purpose="login")
        opened = node.phone("phone", "openFrame", session.frame())
        assert opened["draft"]["session"] == session.view.id
        decision = node.phone("phone", "approve", opened["id"])
        assert decision["outcome"] == "ok"
        assert (await session.receipt()).report.verdict is Verdict.VALID

        refused = await agency.create_session("identify", purpose="login")
        node.phone("phone", "openFrame", refused.frame())
        assert node.phone("phone", "refuse")["outcome"] == "refused"

        (phone,) = node.phone("phone", "phones")
        assert (phone["this"], phone["name"]) == (True, "我的手機")
        outcomes = {record["outcome"] for record in node.phone("phone", "records")}
        assert outcomes == {"ok", "refused"}
        held = bound["certificates"]["auth"]
        shown = node.phone("phone", "certificate", held["id"])
        assert shown["not_after"] == held["notAfter"]
        for quiet in ("news", "consents", "browsers", "waiting"):
            assert node.phone("phone", quiet) == []
        node.phone("phone", "revoke", phone["id"], "no_longer_needed")
