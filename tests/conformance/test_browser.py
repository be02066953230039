"""Browsers of the kit: their cookies, and that they call one origin and no other."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.client import AsyncTransport
from inkan.client.exchange import Answer
from inkan.conformance import EndpointWrong, TestEndpoint
from inkan.conformance.model import About, Who, WhoState
from inkan.conformance.service.browser import cookies_of, origin_of, read
from inkan.kernel.errors import InkanError


@pytest.mark.parametrize(
    ("line", "cookies"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("__Host-a=x.y; Path=/; Secure, b=2; HttpOnly", {"__Host-a": "x.y", "b": "2"}),
        ("a=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT; Path=/, b=", {"a": "1", "b": ""}),
    ],
)
def test_cookies_are_read_from_joined_fields(line: str, cookies: dict[str, str]) -> None:
    assert cookies_of(line) == cookies


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "http://agency.localhost:81/x",
        "https://agency.localhost/x",
        "http://agency.localhost@evil.example/x",
        "http://agency.localhost.evil.example/x",
        "file:///etc/passwd",
        "//agency.localhost/x",
        "http://[",
        "",
    ],
)
async def test_an_address_of_somebody_else_is_not_called(url: str) -> None:
    async with AsyncTransport() as transport:
        endpoint = TestEndpoint("http://agency.localhost/test", transport)
        with pytest.raises(EndpointWrong):
            await endpoint.send("GET", url)


@given(st.text())
def test_an_origin_is_one_or_refused(url: str) -> None:
    try:
        origin = origin_of(url)
    except InkanError:
        return
    assert origin.startswith(("http://", "https://"))


@given(st.binary(), st.sampled_from([About, Who]))
def test_what_a_stranger_answers_is_of_the_form_or_refused(body: bytes, kind: type) -> None:
    try:
        found = read(Answer(status=200, headers={}, body=body), kind, "/who")
    except InkanError:
        return
    assert isinstance(found, kind)


def test_the_form_of_who() -> None:
    body = b'{"state":"logged_in","person":"p","more":1}'
    assert read(Answer(status=200, headers={}, body=body), Who, "/who") == Who(
        WhoState.LOGGED_IN, "p"
    )
    for status, wrong in ((200, b'{"state":"in"}'), (200, b"{}"), (500, body), (302, body)):
        with pytest.raises(EndpointWrong):
            read(Answer(status=status, headers={}, body=wrong), Who, "/who")


@pytest.mark.parametrize(
    ("member", "value"),
    [("system", "a\u001b[2J"), ("system", ""), ("issuer", "http://evil.example"), ("v", 2)],
)
def test_what_is_printed_has_a_form(member: str, value: object) -> None:
    good = {"v": 1, "system": "tax", "issuer": "https://id.example", "webhook": "https://a.example"}
    answer = Answer(status=200, headers={}, body=msgspec.json.encode(good))
    assert read(answer, About, "/about").system == "tax"
    bent = Answer(status=200, headers={}, body=msgspec.json.encode(good | {member: value}))
    with pytest.raises(EndpointWrong):
        read(bent, About, "/about")
