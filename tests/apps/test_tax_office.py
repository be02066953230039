"""The tax office by itself: what it keeps, what it says when the platform is gone."""

import html

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.apps.showcase.tax_office import tax_office
from inkan.client import SystemCredentials
from inkan.crypto.keys import KeySpec, generate
from support.asgi import Client
from support.clock import StandingClock
from support.ports import free_port

OFFICE = "http://taxoffice.localhost:8481"
OWN = {"origin": OFFICE, "sec-fetch-site": "same-origin", "accept": "text/html"}


@pytest.fixture
def browser(clock: StandingClock) -> Client:
    """A browser before an office whose platform does not answer."""
    key = generate(KeySpec.P256)
    assert isinstance(key, EllipticCurvePrivateKey)
    gone = f"http://id.localhost:{free_port()}"
    credentials = SystemCredentials(issuer=gone, code="office", key=key)
    return Client(
        tax_office(origin=OFFICE, credentials=credentials, anchors=[], clock=clock), OFFICE
    )


async def token(browser: Client) -> str:
    page = (await browser.get("/", headers={"accept": "text/html"})).text
    return html.unescape(page.split('name="csrf_token" value="')[1].split('"')[0])


async def test_a_platform_that_is_gone_is_said_and_nothing_is_lost(browser: Client) -> None:
    form = {"csrf_token": await token(browser), "purpose": "login", "national_id": ""}
    reply = await browser.post("/", headers=OWN, form=form)
    assert reply.status == 503
    assert "The identification service does not answer" in reply.text
    assert "__Host-tax-office" not in browser.cookies


@pytest.mark.parametrize(
    "number", ["A123456780", "A12345678", "１２３", "<script>alert(1)</script>"]
)
async def test_a_wrong_number_is_refused_before_anybody_is_asked(
    browser: Client, number: str
) -> None:
    form = {"csrf_token": await token(browser), "purpose": "login", "national_id": number}
    reply = await browser.post("/", headers=OWN, form=form)
    assert reply.status == 400
    assert "This is not a valid number." in reply.text
    assert number not in reply.text, "a typed number is never echoed"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/visit", 303), ("/visit/code", 404), ("/visit/states", 404), ("/camera/x", 404)],
)
async def test_who_never_asked_sees_nothing(browser: Client, path: str, status: int) -> None:
    assert (await browser.get(path)).status == status
    browser.cookies["__Host-tax-office"] = "made up"
    assert (await browser.get(path)).status == status


@pytest.mark.parametrize(
    ("language", "text"),
    [("ja", "所得税"), ("zh-Hant", "綜合所得稅"), ("en", "Income tax"), ("fr", "Income tax")],
)
async def test_it_speaks_the_browsers_language(browser: Client, language: str, text: str) -> None:
    page = await browser.get("/", headers={"accept-language": language, "accept": "text/html"})
    assert f"<h1>{text}</h1>" in page.text


@pytest.mark.parametrize("query", ["", "?return_code=x&session=ses_1", "?session="])
async def test_a_return_that_was_not_begun_here_is_refused(browser: Client, query: str) -> None:
    for language, text in (("en", "This answer is not accepted"), ("ja", "受け付けられません")):
        headers = {"accept": "text/html", "accept-language": language}
        reply = await browser.get(f"/return{query}", headers=headers)
        assert reply.status == 403
        assert text in reply.text


@pytest.mark.parametrize("path", ["about", "start?door=qr", "page", "frame", "who"])
async def test_the_test_endpoint_is_not_in_the_office_of_people(browser: Client, path: str) -> None:
    assert (await browser.get(f"/conformance/{path}")).status == 404


async def test_a_webhook_without_a_signature_is_refused_before_anybody_is_asked(
    browser: Client,
) -> None:
    reply = await browser.post("/webhook", json={})
    assert reply.status == 400
