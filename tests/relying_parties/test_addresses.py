"""Addresses that may be registered: one spelling each, so that comparing letter by letter is comparing (threat 17)."""

import msgspec
import pytest

from inkan.relying_parties.model import RegistrationWrong
from inkan.relying_parties.rules import is_address

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
    await world.agency("tax-office", return_urls=GOOD, webhooks=[{"id": "main", "url": GOOD[1]}])
    [(system, _)] = await world.platform.relying_parties.systems()
    assert system.return_urls == frozenset(GOOD)
    assert system.webhooks == {"main": GOOD[1]}
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
