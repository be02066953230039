"""The address that hands a session to the wallet: one spelling, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.kernel.sensitive import Secret
from inkan.wire.link import LinkMalformed, address, parse_address
from inkan.wire.qr import QRFrameMalformed, frame, parse_frame, qr_key
from wire import samples

WALLET = "https://wallet.example.gov.tw"
HANDLE = samples.b64("link handle", 32)
HANDLES = st.from_regex(r"[A-Za-z0-9_-]{16,64}", fullmatch=True)


def test_an_address_has_the_bytes_of_the_design() -> None:
    assert address(WALLET, handle=HANDLE) == f"{WALLET}/l#1.{HANDLE}"


@given(HANDLES)
def test_addresses_are_read_as_they_are_made(handle: str) -> None:
    assert parse_address(address(WALLET, handle=handle), origin=WALLET) == handle


@pytest.mark.parametrize(
    "handle", ["", "short", "a" * 65, "a" * 16 + "\n", "a" * 15 + "é", "a/" * 9]
)
def test_no_address_is_made_outside_the_format(handle: str) -> None:
    with pytest.raises(LinkMalformed):
        address(WALLET, handle=handle)


@given(
    st.text(max_size=80)
    | st.text(alphabet="1.0Aqg_-", max_size=80).map(lambda tail: f"{WALLET}/l#{tail}")
    | st.text(alphabet="1.0Aqg_-", max_size=80).map(lambda tail: f"{WALLET}/l#1.{tail}")
)
def test_only_refusals_come_out_and_nothing_has_two_spellings(url: str) -> None:
    try:
        handle = parse_address(url, origin=WALLET)
    except LinkMalformed:
        return
    assert address(WALLET, handle=handle) == url


@given(
    HANDLES,
    st.sampled_from(
        ["http://wallet.example.gov.tw", f"{WALLET}:443", f"{WALLET}.evil.tw", WALLET[:-1] + "v"]
    ),
)
def test_another_origin_is_another_wallet(handle: str, origin: str) -> None:
    with pytest.raises(LinkMalformed):
        parse_address(address(origin, handle=handle), origin=WALLET)


def test_a_frame_is_no_address_and_an_address_no_frame() -> None:
    key = qr_key(Secret(samples.fixed("session secret")))
    with pytest.raises(LinkMalformed):
        parse_address(frame(WALLET, handle=HANDLE, t=1, key=key), origin=WALLET)
    with pytest.raises(QRFrameMalformed):
        parse_frame(address(WALLET, handle=HANDLE), origin=WALLET)


def test_a_refusal_repeats_nothing_of_what_came() -> None:
    with pytest.raises(LinkMalformed) as refused:
        parse_address(f"{WALLET}/l#1.<script>", origin=WALLET)
    assert "script" not in f"{refused.value} {refused.value.public_facts}"
