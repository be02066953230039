"""The finder: one spelling of a path, one row."""

from http import HTTPStatus

import pytest

from inkan.web.exchange import Exchange
from inkan.web.headers import API
from inkan.web.principal import open_to_all
from inkan.web.response import Response
from inkan.web.routes import Group, Route, RouteTable, Surface

GROUP = Group(surface=Surface.API)


async def endpoint(_: Exchange) -> Response:
    return Response(HTTPStatus.OK)


def route(method: str, template: str) -> Route:
    return Route(
        method=method,
        template=template,
        group=GROUP,
        access=open_to_all("a test"),
        body_limit=0,
        policy=API,
        endpoint=endpoint,
    )


TABLE = RouteTable(
    [
        route("GET", "/"),
        route("GET", "/v1/sessions"),
        route("POST", "/v1/sessions"),
        route("GET", "/v1/sessions/{id}"),
        route("POST", "/v1/sessions/{id}/cancel"),
        route("GET", "/v1/sessions/limits"),
        route("GET", "/ocsp/{request:path}"),
        route("POST", "/ocsp"),
    ]
)


@pytest.mark.parametrize(
    ("path", "methods", "parameters"),
    [
        ("/", {"GET"}, {}),
        ("/v1/sessions", {"GET", "POST"}, {}),
        ("/v1/sessions/se_1", {"GET"}, {"id": "se_1"}),
        ("/v1/sessions/limits", {"GET"}, {}),
        ("/v1/sessions/se_1/cancel", {"POST"}, {"id": "se_1"}),
        ("/ocsp", {"POST"}, {}),
        ("/ocsp/MEow/a+b==", {"GET"}, {"request": "MEow/a+b=="}),
        ("/ocsp/a//b", {"GET"}, {"request": "a//b"}),
    ],
)
def test_a_path_finds_its_rows(path: str, methods: set[str], parameters: dict[str, str]) -> None:
    rows, found = TABLE.find(path)
    assert set(rows) == methods
    assert found == parameters


@pytest.mark.parametrize(
    "path",
    [
        "", "//", "/v1", "/v1/", "/v1/sessions/", "//v1/sessions", "/v1//sessions", "/v1/sessions//cancel", "/V1/sessions",
        "/v1/sessions/a/b/c", "/v1/sessions/\x00", "/v1/sessions/a\nb", "/v1/sessions/é", "/v1/sessions/\u202e", "/ocsp/a\x00",
        "/nosuch", "v1/sessions", "/v1/sessions/a/cancel/",
    ],
)  # fmt: skip
def test_another_spelling_finds_nothing(path: str) -> None:
    rows, _ = TABLE.find(path)
    assert rows == {}


@pytest.mark.parametrize(
    "rows",
    [
        [("GET", "/a"), ("GET", "/a")],
        [("GET", "/a/{x}"), ("GET", "/a/{x}")],
        [("GET", "/a/{x}"), ("GET", "/a/{y}/b")],
        [("GET", "a")],
        [("GET", "/a//b")],
    ],
)
def test_an_ambiguous_table_is_refused(rows: list[tuple[str, str]]) -> None:
    with pytest.raises(ValueError, match=r"/a|a "):
        RouteTable([route(*row) for row in rows])
