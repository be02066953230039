"""Clerks log in by the authentication key of their card: the way in, and everybody who stays outside."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from counter.clerks import Desk, desk_on, hand_over, put_on_card, written
from inkan.accounts import LoginToken, Role
from inkan.client.piv_layout import KeyUse
from inkan.counter.model import CardChallengeEnded, CardLoginRefused, ReportCause
from inkan.counter.model.logins import CardChallenge
from inkan.crypto import base64url
from inkan.kernel.ids import AccountID
from inkan.pki import CardUntrusted, RevocationReason
from inkan.web.principal import Assurance
from inkan.wire.card_request import LoginContent, content_bytes, parse_login, parse_revoke
from inkan.wire.enrolment_request import RevokeCause
from support.clock import StandingClock
from support.piv_applet import PivApplet
from support.terminals import PINS
from support.world import CLERK, PLATFORM, World


@pytest.fixture
async def desk(world: World) -> Desk:
    return await desk_on(world)


async def finish(
    desk: Desk, challenge: CardChallenge, cms: bytes, *, browser: str | None = None
) -> LoginToken:
    return await desk.counter.logins.finish(
        challenge.id,
        cms=cms,
        browser=challenge.browser.reveal() if browser is None else browser,
        replaces=None,
    )


async def log_in(desk: Desk, key: str = "mei") -> LoginToken:
    challenge = await desk.counter.logins.begin()
    cms = desk.clerks[key].sign(challenge.content, challenge.content_type)
    return await finish(desk, challenge, cms)


async def refused(desk: Desk, challenge: CardChallenge, cms: bytes) -> str:
    """Which check refused; the answer itself is one and the same."""
    with pytest.raises(CardLoginRefused) as refusal:
        await finish(desk, challenge, cms)
    assert refusal.value.public_facts == {}
    return str(refusal.value.facts["check"])


async def test_a_card_logs_its_clerk_in(desk: Desk) -> None:
    login = (await log_in(desk)).login
    assert login.account == desk.clerks["mei"].token.login.account
    assert login.roles == {Role.CLERK}
    assert login.assurance is Assurance.PHISHING_RESISTANT
    # One login of a staff account at a time: the one by passkey has ended.
    before = desk.clerks["mei"].token.token.reveal()
    assert await desk.world.platform.accounts.find_login(before) is None
    assert "accounts.logged_in" in await desk.world.events()


async def test_what_is_signed_names_platform_and_page(desk: Desk) -> None:
    challenge = await desk.counter.logins.begin()
    content = parse_login(challenge.content)
    assert (content.aud, content.origin) == (PLATFORM, PLATFORM)
    again = parse_login((await desk.counter.logins.begin()).content)
    assert again.nonce != content.nonce


async def test_an_answer_opens_one_login(desk: Desk) -> None:
    challenge = await desk.counter.logins.begin()
    cms = desk.clerks["mei"].sign(challenge.content, challenge.content_type)
    await finish(desk, challenge, cms)
    with pytest.raises(CardChallengeEnded):
        await finish(desk, challenge, cms)


async def test_a_challenge_lives_five_minutes(desk: Desk, clock: StandingClock) -> None:
    challenge = await desk.counter.logins.begin()
    cms = desk.clerks["mei"].sign(challenge.content, challenge.content_type)
    clock.advance(timedelta(minutes=5))
    with pytest.raises(CardChallengeEnded):
        await finish(desk, challenge, cms)
    await desk.counter.logins.purge()


async def test_another_browser_cannot_use_the_answer(desk: Desk) -> None:
    challenge, other = await desk.counter.logins.begin(), await desk.counter.logins.begin()
    cms = desk.clerks["mei"].sign(challenge.content, challenge.content_type)
    for browser in ("", other.browser.reveal()):
        with pytest.raises(CardChallengeEnded):
            await finish(desk, challenge, cms, browser=browser)


async def test_an_answer_to_another_challenge_is_refused(desk: Desk) -> None:
    """Without comparing the content, a signature of long ago would log in again and again."""
    first, second = await desk.counter.logins.begin(), await desk.counter.logins.begin()
    cms = desk.clerks["mei"].sign(first.content, first.content_type)
    assert await refused(desk, second, cms) == "content"


async def test_what_another_page_had_signed_is_refused(desk: Desk) -> None:
    challenge = await desk.counter.logins.begin()
    ours = parse_login(challenge.content)
    theirs = LoginContent(aud=ours.aud, origin="https://evil.example", nonce=ours.nonce, at=ours.at)
    cms = desk.clerks["mei"].sign(content_bytes(theirs), challenge.content_type)
    assert await refused(desk, challenge, cms) == "content"


async def test_a_card_of_nobody_who_works_here_is_refused(desk: Desk) -> None:
    person = await desk.resident("hanako")
    stranger = desk.clerks["mei"]
    stranger.applet = PivApplet(authentication_pin="2705", signature_pin="Clerk77")
    await put_on_card(desk.world, stranger.applet, person)
    challenge = await desk.counter.logins.begin()
    cms = stranger.sign(challenge.content, challenge.content_type)
    assert await refused(desk, challenge, cms) == "clerk"


async def test_a_clerk_who_left_is_refused(desk: Desk) -> None:
    account = AccountID(desk.clerks["mei"].token.login.account)
    await desk.counter.offices.end_clerk(account, actor=CLERK)
    challenge = await desk.counter.logins.begin()
    cms = desk.clerks["mei"].sign(challenge.content, challenge.content_type)
    assert await refused(desk, challenge, cms) == "clerk"


async def test_an_ended_account_is_refused(desk: Desk) -> None:
    account = desk.clerks["mei"].token.login.account
    await desk.world.platform.accounts.end_account(account, actor=CLERK)
    challenge = await desk.counter.logins.begin()
    cms = desk.clerks["mei"].sign(challenge.content, challenge.content_type)
    assert await refused(desk, challenge, cms) == "login_refused"


async def test_a_card_opens_no_account_that_may_do_more(desk: Desk) -> None:
    """Clerks make cards: one that opened an administrator's account would make its maker an administrator."""
    boss = await desk.hire("child", Role.CLERK, Role.ADMINISTRATOR)
    challenge = await desk.counter.logins.begin()
    cms = boss.sign(challenge.content, challenge.content_type)
    assert await refused(desk, challenge, cms) == "login_refused"


async def test_a_revoked_card_is_refused(desk: Desk) -> None:
    pki, mei = desk.world.platform.pki, desk.clerks["mei"]
    await desk.world.platform.db.transact(
        pki.revoke, mei.certificate.id, reason=RevocationReason.KEY_COMPROMISE, actor=CLERK
    )
    challenge = await desk.counter.logins.begin()
    cms = mei.sign(challenge.content, challenge.content_type)
    assert await refused(desk, challenge, cms) == "card_revoked"


async def test_a_card_whose_term_is_over_is_refused(desk: Desk, clock: StandingClock) -> None:
    clock.advance(timedelta(days=3 * 366))
    challenge = await desk.counter.logins.begin()
    cms = desk.clerks["mei"].sign(challenge.content, challenge.content_type)
    assert await refused(desk, challenge, cms) == "card_expired"


async def test_the_signature_key_logs_nobody_in(desk: Desk) -> None:
    """A certificate of another profile of the same authority, for the same person."""
    mei = desk.clerks["mei"]
    mei.applet = PivApplet(authentication_pin="2705", signature_pin="Clerk77")
    await put_on_card(desk.world, mei.applet, mei.person, profile="card-sign")
    challenge = await desk.counter.logins.begin()
    cms = mei.sign(challenge.content, challenge.content_type)
    assert await refused(desk, challenge, cms) == "card_wrong_purpose"


async def test_an_unfinished_card_is_refused_until_it_is_handed_over(
    desk: Desk, tmp_path: Path
) -> None:
    mei, terminal = desk.clerks["mei"], await desk.terminal(tmp_path)
    await desk.resident("mei")
    mei.applet = desk.blank_card()
    case = await written(desk, terminal, mei.applet, "mei", by="kenji")
    pin = PINS[KeyUse.AUTHENTICATION]
    challenge = await desk.counter.logins.begin()
    cms = mei.sign(challenge.content, challenge.content_type, pin=pin)
    assert await refused(desk, challenge, cms) == "card"
    await hand_over(desk, case, by="kenji")
    login = (await finish(desk, challenge, cms)).login
    assert login.account == mei.token.login.account


@pytest.mark.parametrize("cms", [b"", b"\x30\x00", b"junk" * 100])
async def test_junk_is_refused(desk: Desk, cms: bytes) -> None:
    assert await refused(desk, await desk.counter.logins.begin(), cms) == "card_request_malformed"


@pytest.mark.parametrize("name", ["", "x", "é", "A" * 43])
async def test_an_unknown_challenge_is_over(desk: Desk, name: str) -> None:
    with pytest.raises(CardChallengeEnded):
        await desk.counter.logins.finish(name, cms=b"", browser="x", replaces=None)


async def test_a_login_ends_with_the_card_that_opened_it(desk: Desk, tmp_path: Path) -> None:
    """A stolen card is reported: whoever sits at the counter with it is out, and the finder's card opens nothing."""
    mei, terminal = desk.clerks["mei"], await desk.terminal(tmp_path)
    await desk.resident("mei")
    mei.applet = desk.blank_card()
    case = await written(desk, terminal, mei.applet, "mei", by="kenji")
    await hand_over(desk, case, by="kenji")
    challenge = await desk.counter.logins.begin()
    pin = PINS[KeyUse.AUTHENTICATION]
    token = await finish(
        desk, challenge, mei.sign(challenge.content, challenge.content_type, pin=pin)
    )
    accounts = desk.world.platform.accounts
    assert await accounts.find_login(token.token.reveal()) is not None
    await desk.world.platform.db.transact(
        desk.counter.cases.end_card, case.card, cause=ReportCause.STOLEN, actor=CLERK
    )
    assert await accounts.find_login(token.token.reveal()) is None


async def test_no_card_of_elsewhere_is_even_asked_about(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has logged in yet: a stranger's card must send this program nowhere and leave nothing behind."""
    asked = []

    async def verify(cms: bytes, **wanted: object) -> None:
        asked.append(wanted["own"])
        raise CardUntrusted

    monkeypatch.setattr(desk.world.platform.pki, "verify_request", verify)
    assert await refused(desk, await desk.counter.logins.begin(), b"") == "card_untrusted"
    assert asked == [True]


async def test_a_challenge_of_the_online_window_logs_nobody_in(desk: Desk) -> None:
    """Everybody may draw one, about any certificate; what it is for stands beside it."""
    drawn = await desk.counter.online.begin(b"any certificate", RevokeCause.MISUSED)
    nonce = base64url.decode(parse_revoke(drawn.content).nonce)
    name = base64url.encode(hashlib.sha256(nonce).digest())
    with pytest.raises(CardChallengeEnded):
        await desk.counter.logins.finish(
            name, cms=b"", browser=drawn.browser.reveal(), replaces=None
        )
