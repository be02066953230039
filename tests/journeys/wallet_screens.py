"""A bound wallet in a real browser, furnished with uses, news, consents and a known browser, and ways through it.

The phone is bound by the wallet's own modules in the wallet's own page, called by a script: no camera is needed, and
keys, passkey and memory are those that a scanned binding leaves. The clicks of a binding are a journey of their own.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from babel.messages.pofile import read_po
from playwright.async_api import Locator

import inkan.wallet
from inkan.approvals import Opener
from inkan.client import EnrolmentClient
from inkan.demo.country import Country
from inkan.enrolment.store import phone as phone_table
from inkan.identification.store import PAIR
from inkan.kernel.ids import PersonID, PhoneID, SessionID, SystemID, new_id
from inkan.notices import NewsTexts
from inkan.store.database import Step
from inkan.store.query import Query
from journeys.served_country import sign, start
from support.browser import Window, within
from support.world import CLERK

AUTHENTICATOR = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "hasPrf": True,
    "automaticPresenceSimulation": True,
    "isUserVerified": True,
}
PROBE = """<img src=x onerror="document.title='owned'">"""


@dataclass(frozen=True)
class Said:
    """What people and relying parties call things."""

    phone: str
    asker: str
    purpose: str
    news: str


PROBES = Said(
    phone="<b>陳's</b> phone <svg onload=stop()>",
    asker=f"Bureau of Very Long Names {PROBE}",
    purpose=f"Sign a contract 契約書 {PROBE}",
    news=f"Counters are closed on 10 October {PROBE}",
)
"""Markup in every place where others may put text."""
PLAIN = Said(
    phone="ASUS_A007",
    asker="Bureau of Land Registration 地政事務所",
    purpose="Contract of sale 買賣契約",
    news="Counters are closed on 10 October 雙十節",
)
"""For pictures."""
LANGUAGES = {"en": "English", "ja": "日本語", "zh-Hant": "繁體中文"}
_FOLDERS = {"ja": "ja", "zh-Hant": "zh_Hant"}

OPEN_PHONE = """(async () => {
  const links = [...document.querySelectorAll("link[rel=modulepreload]")].map((link) => link.href);
  const { Phone } = await import(links.find((href) => /\\/phone\\.[0-9a-f]+\\.js$/.test(href)));
  const settings = JSON.parse(document.querySelector("meta[name=settings]").content);
  globalThis.phoneOfTest = await Phone.open({
    platform: settings.platform, walletOrigin: settings.wallet, lang: "en", tables: settings.shown, allowPlain: true,
  });
  return null;
})()"""
NOT_RECOGNISED = """(globalThis.realGet ??= CredentialsContainer.prototype.get,
  CredentialsContainer.prototype.get = () => Promise.reject(new DOMException("not recognised", "NotAllowedError")), null)"""
RECOGNISED = "(CredentialsContainer.prototype.get = globalThis.realGet, null)"
LEARN = """new Promise((resolve, reject) => {
  const opening = indexedDB.open("inkan-phone");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const writing = opening.result.transaction("memory", "readwrite");
    writing.objectStore("memory").put(%d, "aheadS");
    writing.oncomplete = () => (opening.result.close(), resolve(null));
  };
})"""
# What the tabulator has to reach: everything that can be pressed, chosen or typed into.
REACHABLE = """(() => {
  const wanted = "button, a[href], input, select, summary";
  const seen = (each) => !each.disabled && each.getClientRects().length > 0;
  globalThis.unreached = new Set([...document.querySelectorAll(wanted)].filter(seen));
  document.querySelector("h1").focus();
  return globalThis.unreached.size;
})()"""
REACHED = "(globalThis.unreached.delete(document.activeElement), globalThis.unreached.size)"
LEFT = "[...globalThis.unreached].map((each) => each.outerHTML.slice(0, 120))"


@cache
def _texts(language: str) -> dict[str, str]:
    if language not in _FOLDERS:
        return {}
    folder = Path(str(inkan.wallet.__file__)).parent / "locale" / _FOLDERS[language]
    with (folder / "messages.po").open("rb") as file:
        return {str(each.id): str(each.string) for each in read_po(file)}


def spoken(sentence: str, language: str, **facts: str) -> str:
    """A sentence of the wallet in a language of LANGUAGES."""
    text = _texts(language).get(sentence, sentence)
    return text.format(**facts) if facts else text


@dataclass
class Screens:
    """The wallet in a window, and the country behind it."""

    country: Country
    window: Window
    said: Said = PROBES
    language: str = "en"

    @classmethod
    async def open(cls, country: Country, window: Window, said: Said = PROBES) -> "Screens":
        """A bound wallet on its first screen."""
        cdp = await within(window.context.new_cdp_session(window.page))
        await within(cdp.send("WebAuthn.enable"))
        await within(cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR}))
        wallet = cls(country, window, said)
        await window.go(country.wallet_origin)
        await window.press("I understand")
        await wallet._bind()
        await within(window.page.reload(wait_until="domcontentloaded"))
        await wallet.shows("home")
        return wallet

    async def _bind(self) -> None:
        evaluate = self.window.evaluate
        await evaluate(OPEN_PHONE)
        async with EnrolmentClient(self.country.platform_origin) as desk:
            started = await start(desk)
            frame = json.dumps(await started.frame())
            name = json.dumps(self.said.phone)
            await evaluate(f"phoneOfTest.setName({name}).then(() => phoneOfTest.join({frame}))")
            digits = await evaluate("phoneOfTest.prepare()")
            await started.submit(await sign(started, self.country.citizens["chen"], digits))
            assert await evaluate("phoneOfTest.collect().then((bound) => bound !== null)")
        # The wallet's first screens come from the memory, not from the script's object.
        await self.window.evaluate("history.replaceState(null, '', '/')")

    async def recognise(self, *, is_user: bool) -> None:
        """Whether the phone recognises its owner from now on, until the page is loaded anew.

        A virtual authenticator that failed once is blocked for good, so the page hears what a browser says then.
        """
        await self.window.evaluate(RECOGNISED if is_user else NOT_RECOGNISED)

    async def learn_time(self, ahead: timedelta) -> None:
        """Put into the wallet's memory how far the country's time is ahead, as its next question would tell."""
        await self.window.evaluate(LEARN % int(ahead.total_seconds()))
        await within(self.window.page.reload(wait_until="domcontentloaded"))
        await within(self.main.locator("h1").wait_for(state="attached"))
        await self.window.press("I understand")

    # --- ways ---------------------------------------------------------------------------------------

    def says(self, sentence: str, **facts: str) -> str:
        """A sentence in the language of the wallet."""
        return spoken(sentence, self.language, **facts)

    @property
    def main(self) -> Locator:
        return self.window.page.locator("main")

    def button(self, sentence: str, **facts: str) -> Locator:
        """A button of the screen by its whole name."""
        return self.main.get_by_role("button", name=self.says(sentence, **facts), exact=True)

    async def press(self, sentence: str, screen: str = "", **facts: str) -> None:
        """Press a button of the screen; with ``screen`` wait until that one is there."""
        await within(self.button(sentence, **facts).first.click())
        if screen:
            await self.shows(screen)

    async def tab(self, sentence: str, screen: str) -> None:
        """Press an entry of the bar."""
        bar = self.window.page.locator("nav.wallet-bar")
        await within(bar.get_by_role("button", name=self.says(sentence), exact=True).click())
        await self.shows(screen)

    async def place(self, sentence: str, screen: str) -> None:
        """From the list of places to one of them."""
        await self.tab("More", "more")
        places = self.main.locator(".wallet-place")
        name = self.window.page.get_by_text(self.says(sentence), exact=True)
        await within(places.filter(has=name).first.click())
        await self.shows(screen)

    async def pick(self, text: str, screen: str) -> None:
        """Press the first row that holds a text."""
        await within(self.main.locator(".wallet-place", has_text=text).first.click())
        await self.shows(screen)

    async def shows(self, screen: str) -> None:
        """Wait for a screen; its heading has the focus, so that who hears it hears the title first."""
        await within(
            self.window.page.locator(f"main[data-screen={screen}] h1").wait_for(state="attached")
        )
        assert await self.window.evaluate("document.activeElement.tagName") == "H1", screen

    async def choose(self, language: str) -> None:
        """Change the language in the settings."""
        await self.place("Settings", "settings")
        await self.press(LANGUAGES[language])
        self.language = language
        await within(self.main.get_by_role("heading", name=self.says("Settings")).wait_for())

    async def check_keyboard(self) -> None:
        """The tabulator reaches whatever can be pressed, chosen or typed into."""
        count = await self.window.evaluate(REACHABLE)
        for _ in range(count + 8):
            await within(self.window.page.keyboard.press("Tab"))
            if await self.window.evaluate(REACHED) == 0:
                return
        raise AssertionError(await self.window.evaluate(LEFT))

    async def check_probes(self) -> None:
        """Nothing that was said became part of the page."""
        assert (
            await self.window.evaluate(
                "document.querySelectorAll('main :is(b, img[src=x], svg[onload])').length"
            )
            == 0
        )
        assert await self.window.evaluate("document.title") != "owned"

    # --- what lies in it ----------------------------------------------------------------------------

    async def furnish(self) -> None:
        """Uses of every outcome, two announcements, three consents, three known browsers."""
        platform = self.country.instance.platform
        title = NewsTexts(en=self.said.news, ja=self.said.news, zh_hant=self.said.news)
        older = NewsTexts(
            en="A new version of the wallet", ja="ウォレットの新しい版", zh_hant="錢包新版本"
        )
        await platform.notices.publish_news(older, title, actor=CLERK)
        await platform.notices.publish_news(title, title, actor=CLERK)
        phone = PhoneID(
            await self.window.evaluate(f"{OPEN_PHONE}.then(() => phoneOfTest.bound.phone)")
        )
        person = await platform.db.read(_person, phone)
        for outcome in ("ok", "refused", "failed", "blocked", "ok"):
            await platform.db.transact(self._use, person, phone, outcome)
        systems = await platform.relying_parties.systems()
        await platform.db.transact(self._give, person, systems[0][0].id)
        await platform.audit.sequence_once()
        await platform.audit.sign_head()

    def _use(self, person: PersonID, phone: PhoneID, outcome: str) -> Step[None]:
        platform = self.country.instance.platform
        detail = {
            "session": "ses_x",
            "system": "sys_long",
            "relying_party": self.said.asker,
            "domain": "very-long-names-of-agencies.example",
            "kind": "sign",
            "door": "redirect/push",
            "purpose": dict.fromkeys(("en", "ja", "zh-Hant"), self.said.purpose),
            "contents": ["contract.pdf", "W" * 150],
            "claims": ["name", "age_over_18"],
            "full_evidence": True,
            "binding": {"level": "matched", "evidence": ["code_entered"]},
            "reason": "user_wrong_code" if outcome == "failed" else None,
        }
        event = yield from platform.audit.record(
            "identification.session_decided", actor=CLERK, subject=person, object="ses_x"
        )
        opener = Opener(phone=phone, person=person)
        yield from platform.approvals.note_use(
            opener=opener, outcome=outcome, detail=detail, event=event
        )

    def _give(self, person: PersonID, system: SystemID) -> Step[None]:
        platform = self.country.instance.platform
        event = yield from platform.audit.record(
            "identification.session_decided", actor=CLERK, subject=person
        )
        for number in range(3):
            yield from platform.attributes.note_consent(
                person,
                system=system,
                session=SessionID(new_id("ses")),
                codes=["name", "age_over_18"],
                statement_sha256="A" * 42 + "AEI"[number],
                event=event,
            )
            yield PAIR.run(
                id=new_id("br"),
                browser="ABC"[number] * 42 + "A",
                person=person,
                system=system,
                paired_at=platform.db.now(),
                event_id=event,
            )


def _person(phone: PhoneID) -> Step[PersonID]:
    row = yield Query(sa.select(phone_table.c.person).where(phone_table.c.id == phone)).one()
    return PersonID(row.person)
