"""A nation beside the test country: two roots with a bridge between them, offline keys, custodians with cards.

An instance of its own that nobody connects to: it is founded, used and thrown away by the story.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import msgspec

from inkan.composition.platform import Platform, compose
from inkan.composition.settings import Settings
from inkan.crypto.key_providers import KeyProvider
from inkan.crypto.keys import KeySpec, generate, spki_der
from inkan.demo.custodians import CustodianCard, make_custodian, with_custodians
from inkan.demo.token import find_softhsm, with_token
from inkan.kernel.clock import Clock
from inkan.kernel.ids import new_id
from inkan.kernel.sensitive import Personal, Secret
from inkan.pki import (
    CertificateOrder,
    Custody,
    SubjectName,
    Transcript,
    draw_shares,
    make_offline,
    open_offline,
    read_ceremony,
)

PIN = Secret("571908")
TOKEN_AUTHORITIES = ("card", "phone")
_TERM = timedelta(days=300)


class Nation:
    """A platform without authorities, and what its custodians bring.

    Attributes:
        file: the ceremony file.
        has_token: whether SoftHSM is on this machine; the keys of two authorities lie there then.
        shares: of the offline key store, after the founding.
    """

    def __init__(self, platform: Platform, folder: Path, cards: list[CustodianCard]) -> None:
        text = (files("inkan.pki") / "ceremonies" / "nation.toml").read_text(encoding="utf-8")
        self.platform = platform
        self.has_token = bool(platform.settings.token.module)
        self.file = with_custodians(_in_token(text) if self.has_token else text, cards)
        self.shares: tuple[Secret[str], ...] = ()
        self._offline = folder / "offline"
        self._cards = cards

    async def rehearse(self, *, approvals: int = 2) -> Transcript:
        """Hold the founding with throw-away keys."""
        return await self._hold(self.file, approvals=approvals, is_rehearsal=True)

    def certificate(self, name: str) -> bytes:
        """DER of an authority or cross-certificate."""
        return self.platform.pki.hierarchy.certificate(name)

    async def found(self) -> Transcript:
        """Draw the shares and hold the founding."""
        custody = read_ceremony(self.file).custody
        assert isinstance(custody, Custody)
        self.shares = draw_shares(custody)
        return await self._hold(self.file, offline=make_offline(self._offline, self.shares))

    async def hold(self, text: str, *, approvals: int = 2) -> Transcript:
        """Hold a later ceremony, with the first two shares and as many approvals."""
        keys = open_offline(self._offline, self.shares[:2])
        return await self._hold(text, offline=keys, approvals=approvals)

    async def drill(self) -> list[str]:
        """Open the offline store by two other shares and have every key sign a probe."""
        return await self.platform.pki.drill(open_offline(self._offline, self.shares[1:]))

    async def window_certificate(self) -> bytes:
        """The certificate of a service window, under the health sector's root."""
        issued = await self.platform.pki.issue(
            CertificateOrder(
                order_key=new_id("ord"),
                profile="window",
                owner=new_id("win"),
                subject=SubjectName(
                    common_name=Personal("Window of the test hospital"), serial_number="1" * 16
                ),
                spki=spki_der(generate(KeySpec.P256).public_key()),
                not_after=self.platform.clock.now().replace(microsecond=0) + _TERM,
            )
        )
        return issued.der

    async def _hold(
        self,
        text: str,
        *,
        approvals: int = 2,
        offline: KeyProvider | None = None,
        is_rehearsal: bool = False,
    ) -> Transcript:
        ceremony = read_ceremony(text)
        now = self.platform.clock.now()
        return await self.platform.pki.hold_ceremony(
            ceremony,
            file=text.encode(),
            approvals=[
                card.approve(text.encode(), title=ceremony.title, at=now)
                for card in self._cards[:approvals]
            ],
            offline=offline,
            is_rehearsal=is_rehearsal,
        )


@asynccontextmanager
async def nation(folder: Path, settings: Settings) -> AsyncIterator[Nation]:
    """An empty instance in ``folder`` with the given settings otherwise, and three custodians' cards."""
    clock = Clock(may_advance=True)
    settings = msgspec.structs.replace(settings, home=str(folder))
    module = find_softhsm()
    if module is not None:
        settings = await asyncio.to_thread(with_token, settings, module)
    async with compose(settings, clock=clock) as platform:
        cards = [
            make_custodian(folder / f"{name}.card", name=name, pin=PIN, now=clock.now())
            for name in ("auditor", "archivist", "operator")
        ]
        yield Nation(platform, folder, cards)


def _in_token(text: str) -> str:
    """The ceremony file with the keys of two authorities made in the token; the others stay in files."""
    for name in TOKEN_AUTHORITIES:
        text = text.replace(f'name = "{name}"\n', f'name = "{name}"\nprovider = "pkcs11"\n', 1)
    return text
