"""The authenticator of routes for systems: which scheme goes where."""

import pytest

from inkan.relying_parties import SystemPrincipal
from inkan.relying_parties.api import authenticator
from inkan.web.exchange import Exchange
from inkan.web.replay import ReplayMemory
from relying_parties.test_proofs import client


class Register:
    """Stands in for the service; a token of a certificate has no proof."""

    def __init__(self, proof_id: str) -> None:
        self.asked: list[str] = []
        self._proof_id = proof_id

    async def authenticate(self, authorization: str, **_: object) -> tuple[SystemPrincipal, str]:
        self.asked.append(authorization)
        return SystemPrincipal(system=client().system, jkt=""), self._proof_id


def exchange(authorization: bytes) -> Exchange:
    headers = [(b"authorization", authorization)]
    scope = {"method": "GET", "path": "/", "raw_path": b"/", "headers": headers, "client": None}

    class Site:
        origin = "https://id.example"

    return Exchange(scope, None, Site())  # type: ignore[arg-type]


@pytest.mark.parametrize(("value", "is_token"), [(b"Bearer a.b.c", True), (b"Bearer shop", False)])
async def test_a_sandbox_tells_tokens_from_names(value, is_token, clock):
    named: list[str] = []

    async def bearer(code: str) -> SystemPrincipal:
        named.append(code)
        return SystemPrincipal(system=client().system, jkt="")

    register = Register(proof_id="")
    authenticate = authenticator(
        register,  # type: ignore[arg-type]
        replay=ReplayMemory(window_s=70),
        clock=clock,
        others={"Bearer": bearer},
    )
    for _ in range(2):  # no proof, nothing to replay
        assert await authenticate(exchange(value)) is not None
    assert (len(register.asked), len(named)) == ((2, 0) if is_token else (0, 2))
