"""Cookies are __Host-, and their values cannot say more than a value."""

import pytest

from inkan.web.cookies import SameSite, cookie, read_cookies


def test_a_cookie_belongs_to_this_host_only() -> None:
    name, line = cookie("__Host-inkan-login", "abc", max_age_s=60, same_site=SameSite.STRICT)
    assert name == b"set-cookie"
    assert line == (
        b"__Host-inkan-login=abc; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=60"
    )


def test_a_cookie_may_end_with_the_browser() -> None:
    assert b"Max-Age" not in cookie("__Host-a", "b")[1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("inkan", "a"),
        ("__Secure-inkan", "a"),
        ("__Host-a", "a; Domain=example"),
        ("__Host-a", "a\r\nset-cookie: b=c"),
        ("__Host-a", "a b"),
        ("__Host-a", "é"),
        ("__Host-a", 'a"b'),
    ],
)
def test_other_cookies_are_not_made(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="__Host-"):
        cookie(name, value)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, {}),
        ("", {}),
        ("a=1", {"a": "1"}),
        ("a=1; b=2;c = 3 ; d", {"a": "1", "b": "2", "c ": " 3"}),
        ("a=1; a=2", {"a": "1"}),
        ("a=b=c", {"a": "b=c"}),
    ],
)
def test_cookies_are_read(header: str | None, found: dict[str, str]) -> None:
    assert read_cookies(header) == found
