"""Binding a phone by the enrolment page and the card desk in a real browser, and ending phones in the person's home."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from inkan.client import AsyncTransport, CallRefused, EnrolmentClient, Phone
from inkan.client.exchange import Request
from inkan.demo.country import Citizen, Country, card_desk_origin
from inkan.demo.supervisor import desk_of
from inkan.web.server import Server
from journeys.served_country import sign, start
from journeys.test_home_browser import LOOKS
from journeys.test_tax_office_browser import PASSPHRASE, shoot
from support.browser import Chromium, Look, Window, within
from support.founded import founded_country
from support.ports import free_port

pytestmark = pytest.mark.browser

XSS = '"><script>alert(1)</script>'

# language: read the terms, two ticks, begin, scan this code, the keys, ready, open the desk, bound
PAGE = {
    "en": "Read the terms|I have read the terms|I have read the risks|Begin|Scan this code with the wallet"
    "|Stay with the phone|The phone is ready|Open the card program|The phone is bound",
    "ja": "利用規約を読む|利用規約を読み、同意します|リスクを読みました|始める|ウォレットでこのコードを読み取る"
    "|端末を手元に置いてください|端末の準備ができました|テスト用のカードプログラムを開く|端末が登録されました",
    "zh-TW": "閱讀條款|我已閱讀並同意條款|我已閱讀風險說明|開始|用錢包掃描此條碼"
    "|請留意手機|手機已就緒|開啟測試國的卡片程式|手機已綁定",
}
# language: eight digits, PIN, sign, signed, back
DESK = {
    "en": "Eight digits|PIN of the card|Sign with the card|Your card has signed|Back to the enrolment page",
    "ja": "8桁の数字|カードの暗証番号|カードで署名する|カードで署名しました|登録ページに戻る",
    "zh-TW": "八位數字|卡片的密碼(PIN)|以卡片簽章|您的卡片已簽章|返回綁定頁面",
}


@dataclass
class Town:
    """The running country with its card desk, and what carries looks at screens."""

    country: Country
    transport: AsyncTransport
    phones: list[Phone] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return self.country.platform_origin

    @property
    def chen(self) -> Citizen:
        return self.country.citizens["chen"]

    def new_phone(self, name: str = "陳怡君的手機") -> Phone:
        phone = Phone.create(
            self.country.folder / f"{len(self.phones)}.phone",
            PASSPHRASE,
            platform=self.origin,
            wallet_origin=self.country.wallet_origin,
            name=name,
            verify_user=lambda *_: True,
            anchors=tuple(self.country.anchors),
            scrypt_n=2**10,
        )
        self.phones.append(phone)
        return phone

    async def scan(self, window: Window, phone: Phone) -> None:
        """Hold the phone to the screen until a code is fresh enough."""
        address = (await within(window.page.locator("details code").first.text_content())) or ""
        camera = Request(method="GET", url=address.split()[-1], headers={})
        async with asyncio.timeout(20):
            while True:
                seen = await self.transport.send(camera)
                assert seen.status == 200
                frame = seen.body.decode()
                try:
                    if "/e#" in frame:
                        await phone.join(frame)
                    else:
                        await phone.open_frame(frame)
                except CallRefused as refused:
                    if refused.problem_code != "qr_frame_stale":
                        raise
                else:
                    return


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        port = free_port(neighbours=3)
        founded = await stack.enter_async_context(founded_country(tmp_path / "country", port=port))
        await stack.enter_async_context(Server(desk_of(founded), port=port + 3).running())
        made = Town(founded, await stack.enter_async_context(AsyncTransport()))
        yield made
        for phone in made.phones:
            await phone.close()


async def begin(town: Town, window: Window, *, language: str = "en", name: str = "") -> None:
    """From the first page to the code; with ``name`` every page is looked at."""
    read, terms, risk, begins, scan, *_ = PAGE[language].split("|")
    assert await window.go(f"{town.origin}/enrol") == 200
    await looked_at(window, name, 1)
    await window.press(read, role="link")
    await within(window.page.get_by_label(terms).check())
    await within(window.page.get_by_label(risk).check())
    await looked_at(window, name, 2)
    await within(window.page.get_by_role("button", name=begins, exact=True).click())
    await window.see(scan)
    await within(window.page.locator("#code").wait_for())
    await looked_at(window, name, 3)


async def looked_at(window: Window, name: str, number: int) -> None:
    """Keep a picture of a page and let axe read it, when it has a name."""
    if name:
        await shoot(window, f"enrol-{name}-{number}")
        await window.check_accessibility()


async def prepare(town: Town, window: Window, *, name: str = "陳怡君的手機") -> tuple[Phone, str]:
    """The phone joins by the page's code and makes its keys; returns the digits that it shows."""
    phone = town.new_phone(name)
    await town.scan(window, phone)
    return phone, await phone.prepare()


async def fill_desk(
    window: Window, digits: str, *, pin: str, holder: str = "陳怡君", language: str = "en"
) -> None:
    """Choose the card, type what the phone shows, type the PIN, press the button."""
    typed, secret, press, *_ = DESK[language].split("|")
    await within(window.page.get_by_label(holder).check())
    await window.fill(typed, digits)
    await window.fill(secret, pin)
    await window.press(press)


@pytest.mark.req("TW-07", "TW-10", "TW-28")
async def test_a_phone_is_bound_in_every_look(town: Town, chromium: Chromium) -> None:
    bindings: list[str] = []
    for look in LOOKS:
        window = await chromium.open(look)
        width = look.options["viewport"]["width"]
        name = f"{look.language}-{width}-{'dark' if look.is_dark else 'light'}"
        *_, keys, ready, open_desk, bound = PAGE[look.language].split("|")
        typed, *_, signed, back = DESK[look.language].split("|")
        await begin(town, window, language=look.language, name=name)
        phone = town.new_phone()
        await town.scan(window, phone)
        await window.see(keys)  # the page goes on by itself
        await looked_at(window, name, 4)
        digits = await phone.prepare()
        await window.see(ready)
        assert digits not in await within(window.page.content())
        await looked_at(window, name, 5)
        await window.press(open_desk, role="link")
        await within(window.page.get_by_label(typed).wait_for())
        assert "#" not in window.page.url  # the secret stands in no address
        assert digits not in await within(window.page.content())
        await looked_at(window, name, 6)
        await fill_desk(window, digits, pin=town.chen.part.pin, language=look.language)
        await window.see(signed)
        await looked_at(window, name, 7)
        await window.press(back, role="link")
        await window.see(bound)
        await looked_at(window, name, 8)
        held = await phone.collect()
        assert held is not None
        bindings.append(held.phone)
        await town.country.leap(timedelta(hours=25))  # the next phone waits for its day
        for binding in bindings[:-1]:  # two places
            await phone.revoke(binding)


async def test_wrong_digits_and_a_wrong_pin_bind_nothing(town: Town, chromium: Chromium) -> None:
    window = await chromium.open()
    window.expect_complaint("status of 403")
    await begin(town, window)
    phone, digits = await prepare(town, window)
    await window.press("Open the card program", role="link")
    await fill_desk(window, f"{(int(digits) + 1) % 10**8:08}", pin=town.chen.part.pin)
    await window.see("The digits are not those of this request.")
    assert digits not in await within(window.page.content())
    await shoot(window, "desk-wrong-digits")
    await window.check_accessibility()
    await fill_desk(window, digits, pin="000000")
    await window.see("Tries left: 4")
    await shoot(window, "desk-wrong-pin")
    await window.check_accessibility()
    assert await phone.collect() is None
    await fill_desk(window, f"{digits[:4]} {digits[4:]}", pin=town.chen.part.pin)
    await window.see("Your card has signed")
    assert await phone.collect() is not None


async def test_a_second_binding_on_one_day_is_refused_by_the_platform_in_words(
    town: Town, chromium: Chromium
) -> None:
    window = await chromium.open()
    window.expect_complaint("status of 409")
    for wanted in ("Your card has signed", "Not signed"):
        await begin(town, window)
        _, digits = await prepare(town, window)
        await window.see("The phone is ready")
        await window.press("Open the card program", role="link")
        await fill_desk(window, digits, pin=town.chen.part.pin)
        await window.see(wanted)
    await shoot(window, "desk-refused")
    await window.check_accessibility()


async def test_a_request_that_runs_out_says_so(town: Town, chromium: Chromium) -> None:
    window = await chromium.open(Look(is_phone=True))
    await begin(town, window)
    await prepare(town, window)
    await window.see("The phone is ready")
    await town.country.leap(timedelta(minutes=11))
    await window.go(f"{town.origin}/enrol/request")
    await window.see("The time is over")
    await shoot(window, "enrol-expired")
    await window.check_accessibility()
    await window.press("Begin again", role="link")
    await window.see("Read the terms")


async def test_another_browser_sees_nothing(town: Town, chromium: Chromium) -> None:
    window, stranger = await chromium.open(), await chromium.open()
    await begin(town, window)
    await prepare(town, window)
    await window.see("The phone is ready")
    await stranger.go(f"{town.origin}/enrol/request")
    await stranger.see("Read the terms")
    assert "The phone is ready" not in await within(stranger.page.content())
    await stranger.go(f"{card_desk_origin(int(town.origin.rpartition(':')[2]))}/sign")
    await stranger.see("Code of the enrolment page")


async def test_a_name_that_would_be_a_script_is_text(town: Town, chromium: Chromium) -> None:
    window = await chromium.open()
    await begin(town, window)
    phone, digits = await prepare(town, window, name=XSS)
    await window.see(XSS)
    await window.press("Open the card program", role="link")
    await window.see(XSS)
    await fill_desk(window, digits, pin=town.chen.part.pin)
    await window.press("Back to the enrolment page", role="link")
    await window.see("The phone is bound")
    await phone.collect()
    await window.go(f"{town.origin}/login?next=/my/phones")
    await window.press("Show the code")
    await town.scan(window, phone)
    await phone.approve()
    await window.see(XSS)


async def test_it_works_without_javascript(town: Town, chromium: Chromium) -> None:
    window = await chromium.open(Look(javascript=False))
    await begin(town, window)
    phone, digits = await prepare(town, window)
    await window.see("The phone is ready")  # the page refreshes itself
    await within(window.page.get_by_text("The card program asks for a code?").click())
    key = (await within(window.page.locator("details code").text_content())) or ""
    await window.press("Open the card program", role="link")
    await window.fill("Code of the enrolment page", key)
    await window.press("Show what is to be signed")
    await fill_desk(window, digits, pin=town.chen.part.pin)
    await window.see("Your card has signed")
    await window.press("Back to the enrolment page", role="link")
    await window.see("The phone is bound")
    assert await phone.collect() is not None


async def test_it_works_by_keyboard_alone(town: Town, chromium: Chromium) -> None:
    window = await chromium.open()
    keyboard = window.page.keyboard
    await window.go(f"{town.origin}/enrol")
    await within(window.page.get_by_role("link", name="Read the terms").focus())
    await within(keyboard.press("Enter"))
    await within(window.page.get_by_label("I have read the terms").focus())
    for key in ("Space", "Tab", "Space", "Tab", "Enter"):
        await within(keyboard.press(key))
    await within(window.page.locator("#code").wait_for())
    _, digits = await prepare(town, window)
    await window.see("The phone is ready")
    await within(window.page.get_by_role("link", name="Open the card program").focus())
    await within(keyboard.press("Enter"))
    await within(window.page.get_by_label("陳怡君").focus())
    await within(keyboard.press("Space"))
    await within(keyboard.press("Tab"))
    await within(keyboard.type(digits))
    await within(keyboard.press("Tab"))
    await within(keyboard.type(town.chen.part.pin))
    await within(keyboard.press("Enter"))
    await window.see("Your card has signed")


# --- the person's home -----------------------------------------------------------------------------------


async def bound(town: Town, name: str = "my phone") -> Phone:
    """A phone of 陳怡君, bound without a browser."""
    phone = town.new_phone(name)
    async with EnrolmentClient(town.origin) as desk:
        started = await start(desk)
        await phone.join(await started.frame())
        await started.submit(await sign(started, town.chen, await phone.prepare()))
        assert await phone.collect() is not None
    return phone


async def log_in(town: Town, window: Window, phone: Phone, path: str) -> None:
    await window.go(f"{town.origin}/login?next={path}")
    await within(window.page.locator("form[action='/login'] button").click())
    await within(window.page.locator("#code").wait_for())
    await town.scan(window, phone)
    await phone.approve()
    await within(window.page.wait_for_url(f"**{path}*"))


async def test_phones_and_certificates_in_every_look(town: Town, chromium: Chromium) -> None:
    phone = await bound(town)
    for look in LOOKS:
        window = await chromium.open(look)
        width = look.options["viewport"]["width"]
        name = f"{look.language}-{width}-{'dark' if look.is_dark else 'light'}"
        await log_in(town, window, phone, "/my/phones")
        await shoot(window, f"my-{name}-phones")
        await window.check_accessibility()
        await within(window.page.locator("a[href$='/revoke']").click())
        await within(window.page.locator("#reason").wait_for())
        await shoot(window, f"my-{name}-revoke")
        await window.check_accessibility()
        for path in ("/my/phones/freeze", "/my/certificates"):
            await window.go(town.origin + path)
            await shoot(window, f"my-{name}-{path.rpartition('/')[2]}")
            await window.check_accessibility()
        await within(window.page.locator("article a").first.click())
        await within(window.page.locator("#detail").wait_for())
        await shoot(window, f"my-{name}-certificate")
        await window.check_accessibility()


async def test_a_phone_is_revoked_and_all_are_frozen(town: Town, chromium: Chromium) -> None:
    first = await bound(town, "old phone")
    await town.country.leap(timedelta(hours=25))
    second = await bound(town, "new phone")
    window = await chromium.open(Look(javascript=True, is_phone=True))
    await log_in(town, window, second, "/my/phones")
    await window.press("Revoke this phone", role="link")
    await window.see("This cannot be undone")
    await within(window.page.locator("#reason").select_option("stolen"))
    await window.press("Revoke for good")
    await window.see("The phone was revoked")
    assert "old phone" not in await within(window.page.content())
    with pytest.raises(CallRefused):
        await first.show_presence()
    await window.press("Freeze all phones", role="link")
    await window.see("new phone")
    await window.press("Freeze all now")
    await window.see("All phones are frozen")
    await shoot(window, "my-frozen")
    await window.check_accessibility()
    with pytest.raises(CallRefused):
        await second.show_presence()
