"""The rules of every route hold for the sandbox's too, and its interface is described."""

from jsonschema import Draft202012Validator

from inkan.sandbox.pages import COOKIE
from sandbox.conftest import Town
from support.asgi import Client
from support.logins import person_login, staff_login
from support.walks import every_route, walk_csrf, walk_headers
from support.world import PLATFORM


async def test_headers_and_csrf(small: Town) -> None:
    application = small.world.instance.application
    assert await walk_headers(application) >= 2 * len(list(every_route(application)))
    logins = (await person_login(small.world), await staff_login(small.world))
    cookies = [{COOKIE: "tax-office", **login} for login in logins]
    assert await walk_csrf(application, *cookies) >= 14


async def test_the_document_names_the_sandbox(small: Town) -> None:
    document = (
        await Client(small.world.instance.application, PLATFORM).get("/v1/openapi.json")
    ).json()
    paths = {path for path in document["paths"] if path.startswith("/v1/sandbox/")}
    assert len(paths) == 6
    names = ("Scan", "Open", "Code", "Approve", "Refuse", "Report", "Lose", "Revoke")
    for name in (*names, "FaultOrder"):
        Draft202012Validator.check_schema(document["components"]["schemas"][name])
    body = document["paths"]["/v1/sandbox/phones/{id}/actions"]["post"]["requestBody"]
    (content,) = body["content"].values()
    assert len(content["schema"]["anyOf"]) == len(names)
