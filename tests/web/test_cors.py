"""Who may call from another origin."""

from inkan.web.cors import ANYBODY, CORS

WALLET = CORS(frozenset({"https://wallet.example"}))


def test_the_named_origin_may_read_and_others_may_not() -> None:
    for origin, admitted in (
        ("https://wallet.example", True),
        ("https://wallet.example.evil.example", False),
        ("null", False),
        (None, False),
    ):
        lines: list[tuple[bytes, bytes]] = []
        WALLET.apply(lines, origin)
        names = dict(lines)
        assert (b"access-control-allow-origin" in names) is admitted, origin
        assert names[b"vary"] == b"origin"
        assert b"access-control-allow-credentials" not in names


def test_published_objects_are_for_everybody() -> None:
    lines: list[tuple[bytes, bytes]] = []
    ANYBODY.apply(lines, "https://anywhere.example")
    assert dict(lines)[b"access-control-allow-origin"] == b"*"


def test_a_preflight_is_answered_from_the_table() -> None:
    answer = dict(WALLET.preflight("https://wallet.example", ("GET", "OPTIONS")).headers)
    assert answer[b"access-control-allow-methods"] == b"GET, OPTIONS"
    assert b"dpop" in answer[b"access-control-allow-headers"]
    assert WALLET.preflight("https://evil.example", ("GET",)).headers == []


def test_the_wallet_may_read_what_time_it_is() -> None:
    """A phone whose clock is wrong makes its proofs by the platform's (field Date)."""
    lines: list[tuple[bytes, bytes]] = []
    WALLET.apply(lines, "https://wallet.example")
    assert b"date" in dict(lines)[b"access-control-expose-headers"].split(b", ")
