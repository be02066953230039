"""Addresses that may be registered: one spelling each, so that comparing letter by letter is comparing (threat 17)."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.client.draft_check import _is_in_domain
from inkan.kernel.errors import InkanError
from inkan.relying_parties.model import (
    RegistrationWrong,
    ReturnOutsideDomain,
    SystemRegistration,
)
from inkan.relying_parties.rules import is_address, is_within
from inkan.relying_parties.service.checking import check_said
from inkan.web.catalogue import entry
from support.world import PURPOSES

GOOD = [
    "https://rp.example/",
    "https://rp.example/return",
    "https://www.rp-1.example:8443/a/b?from=inkan&x=%E5%8D%B0",
]
LOOPBACK = [
    "http://taxoffice.localhost:8000/return",
    "http://127.0.0.1:9000/hook",
    "https://rp.localhost/back",
    "http://localhost/",
]
TRICKS = [
    "http://rp.example/",
    "HTTPS://rp.example/",
    "https://RP.example/",
    "https://rp.example",
    "https://rp.example./",
    "https://rp..example/",
    "https://-rp.example/",
    "https://rp.example:443/",
    "https://rp.example:0443/",
    "https://rp.example:0/",
    "https://rp.example:65536/",
    "https://rp.example:/",
    "https://user@rp.example/",
    "https://user:secret@rp.example/",
    "https://rp.example@evil.example/",
    "https://rp.example\\@evil.example/",
    "https://rp.example/#code",
    "https://rp.example/a#",
    "https://rp.example/a/../b",
    "https://rp.example/./a",
    "https://rp.example/..",
    "https://rp.example//evil.example/",
    "https:///rp.example/",
    "https:/rp.example/",
    "https:rp.example/",
    "//rp.example/",
    "/return",
    "rp.example/return",
    "javascript:alert(1)",
    "data:text/html,hello",
    "inkan-rp://return",
    "https://rp.example/a b",
    " https://rp.example/",
    "https://rp.example/ ",
    "https://rp.example/\n",
    "https://rp.example/\tx",
    "https://rp.example/%2e%2e/x",
    "https://rp.example/%zz",
    "https://rp.exａmple/",
    "https://рp.example/",
    "https://rp.example/印",
    "https://[::1]/",
    "https://10.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://*.rp.example/",
    "https://rp.example/<script>",
    'https://rp.example/?q="',
    "https://rp.example/?a#b",
    "",
]  # fmt: skip


@pytest.mark.parametrize("url", GOOD)
def test_a_plain_https_address(url):
    assert is_address(url, loopback=False)
    assert is_address(url, loopback=True)


@pytest.mark.parametrize("url", LOOPBACK)
def test_this_very_machine_only_where_it_is_admitted(url):
    assert is_address(url, loopback=True)
    assert not is_address(url, loopback=False)


@pytest.mark.parametrize("loopback", [False, True])
@pytest.mark.parametrize("url", TRICKS)
def test_every_other_spelling_is_refused(url, loopback):
    assert not is_address(url, loopback=loopback)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_registration_keeps_what_was_named_and_nothing_else(world):
    hook = "https://hooks.elsewhere.example/inkan"  # webhooks may be anywhere public
    webhooks = [{"id": "main", "url": hook}]
    await world.agency("tax-office", domain="example", return_urls=GOOD, webhooks=webhooks)
    [(system, _)] = await world.platform.relying_parties.systems()
    assert system.return_urls == frozenset(GOOD)
    assert system.webhooks == {"main": hook}
    for wrong in (
        {"return_urls": ["https://rp.example"]},
        {"webhooks": [{"id": "abc", "url": "/"}]},
    ):
        with pytest.raises(RegistrationWrong):
            await world.agency("bank", **wrong)
    twice = [{"id": "abc", "url": GOOD[0]}, {"id": "abc", "url": GOOD[1]}]
    with pytest.raises(RegistrationWrong):
        await world.agency("bank", webhooks=twice)
    assert msgspec.to_builtins(system.tap_only) is False


# --- where a return may lead ----------------------------------------------------------------------

INSIDE = [
    "https://tax.example/",
    "https://tax.example/return",
    "https://tax.example:8443/return?x=1",
    "https://www.tax.example/return",
    "https://a.b.tax.example/return",
    "https://xn--fiqs8s.tax.example/return",
]
OUTSIDE = [
    "https://evil-tax.example/return",
    "https://eviltax.example/return",
    "https://tax.example.evil.example/return",
    "https://tax.example-evil.example/return",
    "https://tax-example/return",
    "https://example/return",
    "https://evil.example/return",
    "https://evil.example/tax.example",
    "https://evil.example/?x=https://tax.example/",
    "https://xn--tx-kma.example/return",
    "https://tax.xn--exmple-cua/return",
    "http://taxoffice.localhost:8000/return",
    "http://tax.example.localhost/return",
    "http://127.0.0.1:8000/return",
]
NO_ADDRESS = [
    "https://tax.example./return",
    "https://tax.example@evil.example/return",
    "https://tax.example:443@evil.example/return",
    "https://evil.example\\.tax.example/return",
    "https://evil.example#.tax.example/return",
    "https://evil.example?.tax.example/return",
    "https://evil.example%2f.tax.example/return",
    "https://TAX.example/return",
    "https://Tax.Example/return",
    "https://tax.example:0443/return",
    "https://.tax.example/return",
    "https://täx.example/return",
    "https://tаx.example/return",
    "https://tax。example/return",
    "https://ｔａｘ.example/return",
    "https://evil.example\u2024tax.example/return",
    "https://evil.example\u200d.tax.example/return",
    "//tax.example/return",
    "https://tax.example",
]  # fmt: skip


def said(*return_urls: str, domain: str = "tax.example", **more: object) -> SystemRegistration:
    names = {"en": "Tax", "ja": "税", "zh-Hant": "稅"}
    members = {
        "organisation": "tax-org",
        "organisation_name": names,
        "sector": "government",
        "code": "tax-office",
        "name": "Tax Office",
        "domain": domain,
        "doors": ["web_link"],
        "purposes": PURPOSES,
        "keys": [],
        "return_urls": list(return_urls),
        **more,
    }
    return msgspec.convert(members, SystemRegistration)


@pytest.mark.parametrize("url", INSIDE)
def test_a_return_leads_into_the_domain(url: str) -> None:
    check_said(said(url), loopback=False)


@pytest.mark.parametrize("url", OUTSIDE)
def test_a_return_that_leads_out_of_the_domain_is_refused_and_named(url: str) -> None:
    with pytest.raises(ReturnOutsideDomain) as refused:
        check_said(said("https://tax.example/", url), loopback=True)
    expected = "a host that is tax.example or below it"
    assert refused.value.public_facts == {"where": "/return_urls/1", "expected": expected}


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_a_return_that_only_looks_like_the_domain_is_no_address(url: str) -> None:
    with pytest.raises(RegistrationWrong):
        check_said(said(url), loopback=True)
    assert not is_within(url, "tax.example")


@pytest.mark.parametrize("domain", ["tax.example.", ".tax.example", "TAX.example", "", "."])
def test_a_domain_of_another_spelling_has_no_below(domain: str) -> None:
    with pytest.raises((RegistrationWrong, msgspec.ValidationError)):
        check_said(said("https://tax.example/", domain=domain), loopback=False)


def test_numbers_have_no_below() -> None:
    check_said(said("http://127.0.0.1:8000/", domain="127.0.0.1"), loopback=True)
    with pytest.raises(ReturnOutsideDomain):
        check_said(said("http://127.0.0.1:8000/", domain="0.0.1"), loopback=True)


def test_the_refusal_says_in_three_languages_what_to_do() -> None:
    told = entry(ReturnOutsideDomain.code)
    texts = [told.text(language) for language in ("en", "ja", "zh-Hant")]
    assert len(set(texts)) == 3


HOSTS = st.text("abtx.-:@/?#\\A1", max_size=24)


@given(HOSTS, st.sampled_from(["tax.b", "b", "a-x.tax.b"]), st.booleans())
def test_whatever_is_registered_is_accepted_by_every_phone(
    text: str, domain: str, joined: bool
) -> None:
    """The phone's own rule reads the address by another parser."""
    url = f"https://{text}{domain if joined else ''}/return"
    try:
        check_said(said(url, domain=domain), loopback=False)
    except InkanError:
        return
    assert _is_in_domain(url.removesuffix("/return"), domain)
