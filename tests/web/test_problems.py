"""Refusals as answers: problems for programs, pages for people, and nothing more than they may know."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inkan.kernel.errors import (
    Category,
    Conflict,
    Gone,
    InkanError,
    Malformed,
    NotFound,
    TooMany,
    Unavailable,
    all_errors,
)
from inkan.web.exchange import Exchange
from inkan.web.principal import Access, LoginRequired, Permission, VerificationStale, open_to_all
from inkan.web.problems import STATUS, status_of
from inkan.web.response import Response, json_response
from inkan.web.routes import Bare, Group, Surface
from support.asgi import Client

ClientOf = Callable[..., Client]


def refusing(error: Exception, *, surface: Surface = Surface.API, **facts: Any) -> Group:
    async def endpoint(_: Exchange) -> Response:
        raise error

    bare = Bare(endpoint=endpoint, access=open_to_all("a test"), errors=facts.pop("errors", None))
    return Group(surface=surface, bare={("GET", "/x"): bare, ("POST", "/x"): bare}, **facts)


def test_every_category_has_its_status() -> None:
    assert set(STATUS) == set(Category)


def test_every_refusal_of_the_platform_is_a_client_or_server_error() -> None:
    # What the client raises about an answer is never an answer itself.
    served = [error for error in all_errors() if not error.__module__.startswith("inkan.client")]
    assert len(served) > 20
    for error in served:
        assert 400 <= status_of(error()) <= 599, error


async def test_a_problem_says_what_rfc_9457_asks_and_what_people_need(client: ClientOf) -> None:
    error = Malformed("the name is too long", where="/name", expected="at most 10", secret="x")
    reply = await client(refusing(error)).get("/x", headers={"accept-language": "ja"})
    assert reply.status == 400
    assert reply.header("content-type") == "application/problem+json"
    assert reply.header("content-language") == "ja"
    problem = reply.json()
    instance = problem.pop("instance")
    assert instance.startswith("urn:inkan:request:req_")
    assert problem == {
        "type": "urn:inkan:problem:malformed",
        "title": "The request is not well formed",
        "status": 400,
        "detail": "the name is too long",
        "code": "malformed",
        "text": "リクエストを読み取れませんでした。送信したプログラムの修正が必要です。",
        "owner": "relying_party",
        "retry": "fix",
        "errors": [{"pointer": "/name", "expected": "at most 10"}],
    }


async def test_a_public_fact_cannot_stand_in_for_a_member(client: ClientOf) -> None:
    class Odd(Conflict):
        code = "conflict"
        public = ("status", "colour")

    problem = (await client(refusing(Odd(status=200, colour="red"))).get("/x")).json()
    assert (problem["status"], problem["colour"]) == (409, "red")


async def test_unknown_and_not_yours_are_one_answer(client: ClientOf) -> None:
    bodies = []
    for error in (NotFound("never existed"), NotFound("belongs to another phone", owner="ph_1")):
        reply = await client(refusing(error)).get("/x")
        problem = reply.json()
        problem.pop("instance")
        bodies.append(problem)
    assert bodies[0] == bodies[1]
    assert "detail" not in bodies[0]


async def test_a_fault_of_ours_says_nothing_but_where_to_ask(client: ClientOf) -> None:
    reply = await client(refusing(KeyError("A123456789"))).get("/x")
    assert reply.status == 500
    assert reply.json()["code"] == "internal"
    assert "A123456789" not in reply.text
    assert "KeyError" not in reply.text
    assert "detail" not in reply.json()


@pytest.mark.parametrize("error", [TooMany(retry_after_s=7), Unavailable(retry_after_s=7.0)])
async def test_waiting_is_told_in_the_header(client: ClientOf, error: InkanError) -> None:
    reply = await client(refusing(error)).get("/x")
    assert reply.header("retry-after") == "7"
    assert reply.json()["retry_after_s"] == 7


async def test_a_challenge_comes_with_401(client: ClientOf) -> None:
    group = refusing(LoginRequired(), challenge='DPoP algs="ES256"')
    reply = await client(group).get("/x")
    assert reply.status == 401
    assert reply.header("www-authenticate") == 'DPoP algs="ES256"'
    assert (await client(refusing(Gone(), challenge="DPoP")).get("/x")).header(
        "www-authenticate"
    ) is None


async def test_another_protocol_has_its_own_renderer(client: ClientOf) -> None:
    def oauth(error: InkanError, _: Exchange) -> Response:
        return json_response(400, {"error": "invalid_request", "error_description": error.code})

    reply = await client(refusing(Gone(), errors=oauth)).get("/x")
    assert (reply.status, reply.json()["error_description"]) == (400, "gone")
    assert reply.header("x-content-type-options") == "nosniff"
    internal = await client(refusing(RuntimeError("x"), errors=oauth)).get("/x")
    assert internal.json()["error_description"] == "internal"


# --- pages ------------------------------------------------------------------------------------------

BROWSER = {"accept": "text/html,application/xhtml+xml", "accept-language": "zh-TW"}


async def test_a_person_reads_a_page(client: ClientOf) -> None:
    reply = await client(refusing(Gone("detail"), surface=Surface.PAGES)).get("/x", headers=BROWSER)
    assert reply.status == 410
    assert reply.header("content-type") == "text/html; charset=utf-8"
    assert '<html lang="zh-Hant">' in reply.text
    assert "已超過有效時間" in reply.text
    assert "gone · req_" in reply.text
    assert "detail" not in reply.text


async def test_a_program_reads_a_problem_even_on_a_page(client: ClientOf) -> None:
    reply = await client(refusing(Gone(), surface=Surface.PAGES)).get("/x")
    assert reply.json()["code"] == "gone"
    api = await client(refusing(Gone())).get("/x", headers=BROWSER)
    assert api.json()["code"] == "gone"


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/x", "/login?next=%2Fx"),
        ("/x?a=b&c=//d", "/login?next=%2Fx%3Fa%3Db%26c%3D%2F%2Fd"),
    ],
)
async def test_a_browser_without_a_login_is_led_to_it(
    client: ClientOf, path: str, location: str
) -> None:
    group = refusing(LoginRequired(), surface=Surface.PAGES, login_path="/login")
    reply = await client(group).get(path, headers=BROWSER)
    assert (reply.status, reply.header("location")) == (303, location)
    assert (await client(group).get(path)).status == 401


async def test_a_login_that_is_too_old_is_made_anew_in_the_same_place(client: ClientOf) -> None:
    refused = VerificationStale(within_s=600)
    group = refusing(refused, surface=Surface.PAGES, login_path="/login")
    reply = await client(group).get("/x?a=b", headers=BROWSER)
    assert (reply.status, reply.header("location")) == (303, "/login?next=%2Fx%3Fa%3Db")
    assert (await client(group).get("/x")).json()["code"] == "verification_stale"
    without = refusing(refused, surface=Surface.PAGES)
    assert (await client(without).get("/x", headers=BROWSER)).status == 403


async def test_a_form_without_a_login_leads_to_it_and_not_back(client: ClientOf) -> None:
    async def endpoint(_: Exchange) -> Response:
        raise AssertionError

    group = Group(
        surface=Surface.PAGES,
        login_path="/login",
        bare={("POST", "/x"): Bare(endpoint=endpoint, access=Access("act"))},
    )
    rows = [Permission(use_case="act", roles=frozenset({"r"}), source="a test")]
    browser = client(group, permissions=rows)
    own = {"origin": browser.origin, **BROWSER}
    reply = await browser.post("/x", headers=own, form={})
    assert (reply.status, reply.header("location")) == (303, "/login")


async def test_a_page_that_cannot_be_drawn_still_tells_its_error(
    client: ClientOf, tmp_path: Path
) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "error.html").write_text("{{ nosuch }}", "utf-8")
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "seal.svg").write_text("<svg/>", "utf-8")
    browser = client(refusing(Gone(), surface=Surface.PAGES), packages={"web": tmp_path})
    reply = await browser.get("/x", headers=BROWSER)
    assert (reply.status, reply.json()["code"]) == (410, "gone")
