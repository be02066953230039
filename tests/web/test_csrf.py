"""The three checks of an unsafe request to a page, each alone."""

import pytest

from inkan.kernel.sensitive import Secret
from inkan.web.csrf import CSRF, CSRFRefused

ORIGIN = "https://id.example"
OWN = CSRF(Secret(b"k" * 32))


@pytest.mark.parametrize(
    ("sent_origin", "fetch_site"),
    [(ORIGIN, "same-origin"), (ORIGIN, None), (None, "same-origin")],
)
def test_a_form_of_this_site(sent_origin: str | None, fetch_site: str | None) -> None:
    OWN.verify_sender(origin=ORIGIN, sent_origin=sent_origin, fetch_site=fetch_site)


@pytest.mark.parametrize(
    ("sent_origin", "fetch_site"),
    [
        (None, None),
        ("https://evil.example", "same-origin"),
        ("https://id.example.evil.example", None),
        ("http://id.example", None),
        ("https://id.example:444", None),
        ("null", None),
        ("", None),
        (ORIGIN, "same-site"),
        (ORIGIN, "cross-site"),
        (ORIGIN, "none"),
        (ORIGIN, ""),
        (None, "cross-site"),
    ],
)
def test_a_form_of_another_site(sent_origin: str | None, fetch_site: str | None) -> None:
    with pytest.raises(CSRFRefused):
        OWN.verify_sender(origin=ORIGIN, sent_origin=sent_origin, fetch_site=fetch_site)


def test_a_token_belongs_to_its_cookie_origin_and_key() -> None:
    cookie = OWN.new_cookie()
    token = OWN.token(cookie, ORIGIN)
    OWN.verify_token(origin=ORIGIN, cookie=cookie, token=token)
    other_key = CSRF(Secret(b"o" * 32))
    for origin, kept, sent, checker in (
        (ORIGIN, OWN.new_cookie(), token, OWN),
        ("https://wallet.example", cookie, token, OWN),
        (ORIGIN, cookie, token[:-1] + ("0" if token[-1] != "0" else "1"), OWN),
        (ORIGIN, cookie, cookie, OWN),
        (ORIGIN, cookie, "", OWN),
        (ORIGIN, cookie, "é", OWN),
        (ORIGIN, cookie, None, OWN),
        (ORIGIN, None, token, OWN),
        (ORIGIN, "", OWN.token("", ORIGIN), OWN),
        (ORIGIN, cookie, token, other_key),
    ):
        with pytest.raises(CSRFRefused):
            checker.verify_token(origin=origin, cookie=kept, token=sent)


def test_cookies_do_not_repeat() -> None:
    cookies = {OWN.new_cookie() for _ in range(50)}
    assert len(cookies) == 50
    assert {len(cookie) for cookie in cookies} == {64}
