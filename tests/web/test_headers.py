"""Policies are data: what each kind of answer allows, and how little a page may add."""

import pytest

from inkan.web import headers
from inkan.web.headers import API, PAGES, PUBLIC, Policy, apply, render


def lines(policy: Policy, *, https: bool = True) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in render(policy, https=https)}


def test_a_page_loads_its_own_files_only() -> None:
    csp = lines(PAGES)["content-security-policy"]
    assert csp == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    assert lines(PAGES)["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("policy", [API, PUBLIC])
def test_an_object_runs_nothing(policy: Policy) -> None:
    csp = lines(policy)["content-security-policy"]
    assert "'self'" not in csp
    assert csp.startswith("default-src 'none'")


def test_only_published_objects_are_embedded_elsewhere() -> None:
    assert lines(PUBLIC)["cross-origin-resource-policy"] == "cross-origin"
    assert lines(API)["cross-origin-resource-policy"] == "same-origin"
    assert lines(PAGES)["cross-origin-resource-policy"] == "same-origin"


def test_hsts_belongs_to_https() -> None:
    assert "strict-transport-security" not in lines(PAGES, https=False)
    age = lines(PAGES)["strict-transport-security"]
    assert age == "max-age=63072000; includeSubDomains"


def test_a_page_is_granted_features_one_by_one() -> None:
    denied = lines(PAGES)["permissions-policy"]
    assert "camera=()" in denied
    assert "(self)" not in denied
    granted = lines(PAGES.granting("camera", "publickey-credentials-get"))["permissions-policy"]
    assert "camera=(self)" in granted
    assert "microphone=()" in granted
    with pytest.raises(ValueError, match="unknown"):
        PAGES.granting("camera", "nosuchfeature")


def test_a_directive_is_widened_and_none_gives_way() -> None:
    page = PAGES.allowing("trusted-types", "inkan").allowing("form-action", "https://rp.example")
    csp = lines(page)["content-security-policy"]
    assert "trusted-types inkan" in csp
    assert "form-action 'self' https://rp.example" in csp
    again = page.allowing("form-action", "https://rp.example")
    assert again == page
    assert (
        "worker-src 'self'"
        in lines(PAGES.allowing("worker-src", "'self'"))["content-security-policy"]
    )


@pytest.mark.parametrize(
    "source", ["", "a b", "https://a;script-src *", "a,b", "a\r\nset-cookie: x", "\t"]
)
def test_a_source_cannot_end_its_directive(source: str) -> None:
    with pytest.raises(ValueError, match="token"):
        PAGES.allowing("form-action", source)


def test_an_answer_cannot_loosen_its_own_policy() -> None:
    sent = [(b"content-security-policy", b"default-src *"), (b"x-frame-options", b"ALLOW")]
    apply(sent, PAGES, https=False)
    assert [value for name, value in sent if name == b"x-frame-options"] == [b"DENY"]
    assert all(b"*" not in value for _, value in sent)


def test_an_answer_is_not_stored_unless_it_says_so() -> None:
    silent: headers.RawHeaders = []
    apply(silent, API, https=False)
    assert (b"cache-control", b"no-store") in silent
    spoken = [(b"cache-control", b"public, max-age=60")]
    apply(spoken, API, https=False)
    assert [value for name, value in spoken if name == b"cache-control"] == [b"public, max-age=60"]
