"""Walks over every route of an application: rules that hold for all, whoever contributed the route.

The composition's tests run them over the whole platform; ``tests/web`` runs them over a small one that
breaks each rule once.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from inkan.web.app import Application
from inkan.web.routes import Route, Surface
from support.asgi import Client, Reply

_PARAMETER = re.compile(r"\{[^}]+\}")
_A_YEAR_S = 31_536_000
_FORBIDDEN_SOURCES = ("'unsafe-inline'", "'unsafe-eval'", "*", "http:", "https:", "data:")
_REQUIRED = {
    "cross-origin-opener-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def every_route(application: Application) -> Iterator[tuple[str, Route]]:
    """(origin, route) of all sites."""
    for origin, routes in application.routes.items():
        for route in routes:
            yield origin, route


def path_of(route: Route) -> str:
    """A path that the route serves, with a value that no object has."""
    return _PARAMETER.sub("nosuchthing", route.template)


async def walk_headers(application: Application) -> int:
    """Every answer of every route, and of none, carries the security headers; returns how many were seen.

    Each route is asked once by a stranger in a browser and once by a program, with an empty body, so the
    answers are mostly refusals: the very ones that hand-made headers forget.
    """
    seen = 0
    for origin, route in every_route(application):
        client = Client(application, origin)
        for accept in ("text/html", "application/json"):
            reply = await client.request(route.method, path_of(route), headers={"accept": accept})
            where = f"{route.method} {origin}{route.template} ({accept})"
            assert reply.status not in {0, 500}, f"{where}: {reply.status}"
            check_headers(reply, where, https=origin.startswith("https:"))
            if route.is_page:
                csp = directives(reply)
                assert csp["require-trusted-types-for"] == ["'script'"], where
            seen += 1
    for origin in application.routes:
        for path, host in (("/no/such/page", None), ("/", "elsewhere.invalid")):
            reply = await Client(application, origin).get(path, host=host)
            check_headers(
                reply, f"{origin}{path} {host}", https=host is None and "https:" in origin
            )
            seen += 1
    return seen


def check_headers(reply: Reply, where: str, *, https: bool) -> None:
    """The rules of one answer (ASVS 5.0 3.4; threat 25)."""
    for name, value in _REQUIRED.items():
        assert reply.all(name) == [value], f"{where}: {name} is {reply.all(name)}"
    csp = directives(reply)
    assert csp["default-src"] == ["'none'"], where
    assert csp["frame-ancestors"] == ["'none'"], where
    assert csp["base-uri"] == ["'none'"], where
    sources = {source for values in csp.values() for source in values}
    assert not sources & set(_FORBIDDEN_SOURCES), f"{where}: {sources}"
    assert reply.header("referrer-policy") in {"no-referrer", "same-origin"}, where
    assert "camera=()" in (reply.header("permissions-policy") or "") or "camera=(self)" in (
        reply.header("permissions-policy") or ""
    ), where
    assert reply.header("cross-origin-resource-policy") in {"same-origin", "cross-origin"}, where
    assert len(reply.all("cache-control")) == 1, where
    assert reply.header("server") is None, where
    _check_hsts(reply, where, https=https)
    for cookie in reply.all("set-cookie"):
        _check_cookie(cookie, where)


def directives(reply: Reply) -> dict[str, list[str]]:
    """The Content Security Policy as a table."""
    policies = reply.all("content-security-policy")
    assert len(policies) == 1, policies
    parts = (part.split() for part in policies[0].split(";"))
    return {name: values for name, *values in parts}


def _check_hsts(reply: Reply, where: str, *, https: bool) -> None:
    value = reply.header("strict-transport-security")
    if not https:
        assert value is None, f"{where}: HSTS over http"
        return
    found = re.match(r"max-age=(\d+)", value or "")
    assert found is not None, where
    assert int(found[1]) >= _A_YEAR_S, where


def _check_cookie(line: str, where: str) -> None:
    name, *attributes = (part.strip() for part in line.split(";"))
    lowered = {attribute.lower() for attribute in attributes}
    assert name.startswith("__Host-"), f"{where}: {name}"
    assert {"secure", "httponly", "path=/"} <= lowered, f"{where}: {line}"
    assert lowered & {"samesite=lax", "samesite=strict"}, f"{where}: {line}"


async def walk_csrf(application: Application, *logins: Mapping[str, str]) -> int:
    """No page takes what another site, or nobody's token, sends; returns how many routes were attacked.

    Args:
        application: what is walked over.
        logins: cookies of victims, each attacked in turn: whoever may not call a route at all is refused for that,
            and one of them must be refused for the token.
    """
    seen = 0
    for origin, route in every_route(application):
        if route.method not in {"POST", "PUT", "PATCH", "DELETE"}:
            continue
        if route.group.surface is not Surface.PAGES:
            assert not route.checks_csrf
            continue
        for name, headers, form in _attacks(origin):
            where = f"{route.method} {origin}{route.template}: {name}"
            codes = set()
            for cookies in logins or ({},):
                victim = Client(application, origin)
                victim.cookies.update(cookies)
                reply = await _attack(victim, route, headers, form)
                assert reply.status in {401, 403}, f"{where}: {reply.status}"
                codes.add(reply.json()["code"])
            assert "csrf_refused" in codes, f"{where}: {codes}"
            assert codes <= {"csrf_refused", "login_required", "role_missing"}, where
        seen += 1
    return seen


def _attacks(origin: str) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    own = {"origin": origin, "sec-fetch-site": "same-origin"}
    yield "no headers, no token", {}, {}
    yield "own page, no token", own, {}
    yield "own page, made-up token", own, {"csrf_token": "0" * 64}
    yield "foreign origin", {"origin": "https://evil.example"}, {"csrf_token": "GOOD"}
    yield "opaque origin", {"origin": "null"}, {"csrf_token": "GOOD"}
    yield "sibling site", {"origin": origin, "sec-fetch-site": "same-site"}, {"csrf_token": "GOOD"}
    yield "cross site", {"sec-fetch-site": "cross-site"}, {"csrf_token": "GOOD"}


async def _attack(
    victim: Client,
    route: Route,
    headers: dict[str, str],
    form: dict[str, str],
) -> Reply:
    own, good = _own_token(victim.application, victim.origin)
    victim.cookies.update(own)
    fields = {name: good if value == "GOOD" else value for name, value in form.items()}
    lines = {"accept": "application/json", **headers}
    return await victim.request(route.method, path_of(route), headers=lines, form=fields)


def _own_token(application: Application, origin: str) -> tuple[dict[str, str], str]:
    """A cookie and the very token that belongs to it: the attacks fail by where they come from."""
    csrf: Any = application.csrf
    cookie = csrf.new_cookie()
    return {"__Host-inkan-csrf": cookie}, csrf.token(cookie, origin)
