"""The rules of every route hold for the sandbox's too, and its interface is described."""

from jsonschema import Draft202012Validator

from inkan.accounts import LOGIN_COOKIE, Role
from inkan.sandbox.pages import COOKIE
from relying_parties.applicants import hire_token
from sandbox.conftest import Town
from support.asgi import Client
from support.walks import every_route, walk_csrf, walk_headers
from support.world import PLATFORM


async def test_headers_and_csrf(small: Town) -> None:
    application = small.world.instance.application
    assert await walk_headers(application) >= 2 * len(list(every_route(application)))
    everything = sorted(set(Role) - {Role.PERSON})
    token = await hire_token(small.world.platform.accounts, *everything, name="victim")
    cookies = {COOKIE: "tax-office", LOGIN_COOKIE: token.token.reveal()}
    assert await walk_csrf(application, cookies) >= 14


async def test_the_document_names_the_sandbox(small: Town) -> None:
    document = (
        await Client(small.world.instance.application, PLATFORM).get("/v1/openapi.json")
    ).json()
    paths = {path for path in document["paths"] if path.startswith("/v1/sandbox/")}
    assert len(paths) == 6
    for name in ("Scan", "Approve", "Refuse", "Report", "Lose", "Revoke", "FaultOrder"):
        Draft202012Validator.check_schema(document["components"]["schemas"][name])
    body = document["paths"]["/v1/sandbox/phones/{id}/actions"]["post"]["requestBody"]
    (content,) = body["content"].values()
    assert len(content["schema"]["anyOf"]) == 6
