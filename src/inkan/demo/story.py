"""The whole story without a browser: a card binds a phone, an agency asks, the phone answers, anyone verifies.

Every step says what was checked. A refusal that must happen counts as passed; a refusal that does not happen
is a failure of the step. Binding, identification and the kept evidence happen at true time; then the
country's clock leaps to the second phone, the refused third, and the renewal.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec

from inkan.client import (
    CallRefused,
    EnrolmentClient,
    Phone,
    RelyingParty,
    Session,
    StartedEnrolment,
    SubjectHint,
    Verdict,
    verify_receipt,
)
from inkan.crypto import base64url, jose
from inkan.demo.counter_scenes import SCENES as COUNTER
from inkan.demo.counter_scenes import Visit, report_lost
from inkan.demo.country import Citizen, Country
from inkan.demo.door_scenes import SCENES as DOORS
from inkan.demo.door_scenes import Cast
from inkan.demo.nation import nation
from inkan.demo.nation_scenes import SCENES
from inkan.demo.openid_scenes import SCENES as OPENID
from inkan.demo.steps import CheckFailed, Step, StepReport, StoryReport, refused
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Personal, Secret
from inkan.schemes import get_scheme
from inkan.wire.evidence import EvidenceBundle
from inkan.wire.session import Outcome
from inkan.wire.shown import Language

PASSPHRASE = Secret("test country, not a secret")
# Cheap on purpose: the phones of the test country guard nothing.
PHONE_SCRYPT_N = 2**10


class Story:
    """Tells the story in a running country.

    Args:
        keep: folder for the evidence, or None.
        tell: called with each finished step, for the terminal.
    """

    def __init__(
        self, country: Country, *, keep: Path | None, tell: Callable[[StepReport], None]
    ) -> None:
        self._country = country
        self._keep = keep
        self._tell = tell
        self._steps: list[StepReport] = []
        self._phones: dict[str, Phone] = {}
        self._desk = EnrolmentClient(country.platform_origin)

    async def run(self) -> StoryReport:
        """Tell it to the end, or to the first step that fails."""
        try:
            for scene in (
                self._hierarchy,
                self._first_phone,
                self._replayed_request,
                self._identification,
                self._wrong_person,
                self._stale_code,
                self._doors,
                self._refusal,
                self._young_phone,
                self._second_phone,
                self._third_phone,
                self._renewal,
                self._counter,
                self._audit,
                self._nation,
            ):
                await scene()
        except CheckFailed:
            pass
        finally:
            for phone in self._phones.values():
                await phone.close()
            await self._desk.aclose()
        ok = bool(self._steps) and all(step.outcome == "ok" for step in self._steps)
        return StoryReport(ok=ok, steps=self._steps)

    # --- the scenes --------------------------------------------------------------------------------

    async def _hierarchy(self) -> None:
        async with self._step("the hierarchy stands", "-") as step:
            lines = self._country.instance.platform.pki.authorities()
            roles = [line.role for line in lines]
            step.check("one root, three issuing authorities", roles.count("issuing") == 3)
            linted = self._country.instance.platform.settings.pki.lint
            step.check("every certificate is linted before it is signed", linted)

    async def _first_phone(self) -> None:
        async with self._step("a card binds the first phone", "enrolment") as step:
            phone = await self._bind("chen", "陳怡君的手機", step)
            step.check("two certificates, auth and sign", len(phone.certificates) == 2)

    async def _replayed_request(self) -> None:
        async with self._step("the signed request is sent again", "enrolment") as step:
            first = await self._started.submit(self._cms)
            again = await asyncio.gather(*(self._started.submit(self._cms) for _ in range(4)))
            same = all(answer.certificates == first.certificates for answer in again)
            step.check("five submissions, the same two certificates", same)

    async def _identification(self) -> None:
        async with (
            self._step("an agency asks by QR code, the phone answers", "qr") as step,
            self._tax_office() as agency,
        ):
            session = await agency.create_session(
                "identify", purpose="file_return", subject_hint=self._expect("chen")
            )
            phone = self._phones["chen"]
            opened = await phone.open_frame(session.frame())
            step.check("the phone shows who asks", "taxoffice.localhost" in opened.text)
            step.check("nothing is told before the decision", session.view.subject is None)
            await phone.approve()
            seen = await session.wait(timeout_s=10)
            step.check("the session is closed with ok", seen.is_ok)
            step.check("the person is the expected one", seen.match is True)
            assert seen.binding is not None
            step.bound(str(seen.binding.level), seen.binding.evidence)
            await self._verify(session, step)

    async def _wrong_person(self) -> None:
        async with (
            self._step("somebody else was expected", "qr") as step,
            self._tax_office() as agency,
        ):
            session = await agency.create_session(
                "identify", purpose="login", subject_hint=self._expect("lin")
            )
            phone = self._phones["chen"]
            await phone.open_frame(session.frame())
            decision = await phone.approve()
            step.check("the phone hears nothing of it", decision.outcome is Outcome.OK)
            seen = await session.wait(timeout_s=10)
            step.check("the session fails: subject_mismatch", seen.reason == "subject_mismatch")
            step.check("and gives no reference", seen.subject is None)

    async def _stale_code(self) -> None:
        async with (
            self._step("a photographed code is too old", "qr") as step,
            self._tax_office() as agency,
        ):
            session = await agency.create_session("identify", purpose="login")
            frame = session.frame()
            await self._country.leap(timedelta(seconds=5))
            await refused(self._phones["chen"].open_frame(frame), "qr_frame_stale", step)
            await session.refresh()
            step.check("the session still waits", session.view.state == "presented")
            await session.cancel()

    async def _doors(self) -> None:
        """The other ways to the same phone, and what each is worth."""
        async with self._tax_office() as agency:
            cast = Cast(self._country, agency, self._phones["chen"], self._expect("chen"))
            for name, (door, scene) in [*DOORS.items(), *OPENID.items()]:
                async with self._step(name, door) as step:
                    await scene(cast, step)

    async def _refusal(self) -> None:
        async with self._step("the person refuses", "qr") as step, self._tax_office() as agency:
            session = await agency.create_session("identify", purpose="login")
            phone = self._phones["chen"]
            await phone.open_frame(session.frame())
            await phone.refuse()
            seen = await session.wait(timeout_s=10)
            step.check("the session ends: user_refused", seen.reason == "user_refused")
            receipt = await session.receipt()
            step.check("the receipt names nobody", receipt.receipt.subject is None)

    async def _young_phone(self) -> None:
        async with self._step("a second phone on the same day", "enrolment") as step:
            attempt = self._bind("chen", "陳怡君的平板", step, key="tablet")
            await refused(attempt, "phone_young", step)

    async def _second_phone(self) -> None:
        async with self._step("a second phone, 25 hours later", "enrolment") as step:
            await self._country.leap(timedelta(hours=25))
            phone = await self._bind("chen", "陳怡君的平板", step, key="tablet-2")
            step.check("two phones stand in the list", len(await phone.phones()) == 2)
            uses = await phone.records()
            step.check("and the uses in the person's records", len(uses) == 10)

    async def _third_phone(self) -> None:
        async with self._step("a third phone", "enrolment") as step:
            await self._country.leap(timedelta(hours=25))
            attempt = self._bind("chen", "第三支手機", step, key="third")
            await refused(attempt, "no_free_slot", step)

    async def _renewal(self) -> None:
        async with self._step("the first phone renews without the card", "renewal") as step:
            phone = self._phones["chen"]
            await refused(phone.renew(), "renewal_too_early", step)
            await self._country.leap(timedelta(days=330))
            before = {use: held.der for use, held in phone.certificates.items()}
            await phone.renew()
            after = {use: held.der for use, held in phone.certificates.items()}
            step.check(
                "new keys and certificates", all(before[use] != after[use] for use in before)
            )
            async with self._tax_office() as agency:
                session = await agency.create_session("identify", purpose="login")
                await phone.open_frame(session.frame())
                await phone.approve()
                seen = await session.wait(timeout_s=10)
                step.check("and the phone answers with them", seen.is_ok)

    async def _counter(self) -> None:
        """A card made at the counter, and what it is good for."""
        visit = Visit(self._country)
        for name, scene in COUNTER.items():
            async with self._step(name, "-") as step:
                await scene(visit, step)
        async with self._step("the card of the counter binds a phone", "enrolment") as step:
            await self._bind("tanaka", "田中のスマートフォン", step)
        async with self._step("the card is reported lost at the counter", "-") as step:
            await report_lost(visit, step)

    async def _audit(self) -> None:
        async with self._step("the audit log is verified", "-") as step:
            platform = self._country.instance.platform
            await self._sign_log()
            report = await platform.audit.verify(platform.event_pairs)
            step.check("every event in its place, every state with its event", report.is_intact)

    # --- how -----------------------------------------------------------------------------------------

    async def _bind(self, who: str, name: str, step: Step, *, key: str | None = None) -> Phone:
        citizen = self._country.citizens[who]
        phone = Phone.create(
            self._country.folder / f"{key or who}.phone",
            PASSPHRASE,
            platform=self._country.platform_origin,
            wallet_origin=self._country.wallet_origin,
            name=name,
            verify_user=lambda *_: True,
            lang=Language.ZH_HANT,
            scrypt_n=PHONE_SCRYPT_N,
            anchors=tuple(self._country.anchors),
        )
        self._phones[key or who] = phone
        scheme = get_scheme(self._country.scheme)
        started = await self._desk.start(scheme.name, terms_version=scheme.terms.version)
        await phone.join(await started.frame())
        digits = await phone.prepare()
        step.check("the phone shows eight digits", len(digits) == 8)
        cms = await self._sign(started, citizen, digits)
        await started.submit(cms)
        # Refuses certificates of other keys than those that the phone made.
        await phone.collect()
        step.check("the certificates carry the phone's own keys", phone.certificates)
        self._started, self._cms = started, cms
        return phone

    async def _sign(self, started: StartedEnrolment, citizen: Citizen, digits: str) -> bytes:
        """The person at the desk: card in, digits typed into its dialog, PIN."""
        wanted = await started.to_sign()
        with citizen.card as card:
            return await asyncio.to_thread(
                card.sign_request,
                wanted.content,
                content_type=wanted.content_type,
                pin=citizen.pin,
                confirm=lambda _: digits,
            )

    async def _verify(self, session: Session, step: Step) -> None:
        """Anyone, offline: the receipt and its evidence, with nothing but the root."""
        await self._sign_log()
        bundle, fetched = await session.evidence()
        report = verify_receipt(fetched.jws, self._country.anchors, evidence=bundle)
        step.check("the receipt verifies offline against the root", report.verdict is Verdict.VALID)
        forged = fetched.jws[:-8] + ("A" * 8 if not fetched.jws.endswith("A" * 8) else "B" * 8)
        broken = verify_receipt(forged, self._country.anchors)
        step.check("a changed receipt does not", broken.verdict is Verdict.INVALID)
        step.check("the decision is proved to stand in the audit log", report.is_logged)
        bare = msgspec.structs.replace(bundle, inclusion=None)
        told = verify_receipt(fetched.jws, self._country.anchors, evidence=bare)
        step.check("without the proof that is the platform's word", not told.is_logged)
        step.check("a changed proof is refused", self._judge_changed(bundle) is Verdict.INVALID)
        if self._keep is not None:
            await self._write(self._keep, session, fetched.jws)

    def _judge_changed(self, bundle: EvidenceBundle) -> Verdict:
        """The verdict over evidence whose audit event was opened by another salt."""
        assert bundle.inclusion is not None
        changed = msgspec.structs.replace(bundle.inclusion, salt=base64url.encode(bytes(16)))
        other = msgspec.structs.replace(bundle, inclusion=changed)
        return verify_receipt(bundle.receipt, self._country.anchors, evidence=other).verdict

    async def _sign_log(self) -> None:
        """Index and sign now what the schedule would within a minute."""
        audit = self._country.instance.platform.audit
        await audit.sequence_once()
        await audit.sign_head()

    async def _write(self, folder: Path, session: Session, receipt: str) -> None:
        """Keep what others check: certificates, lists, answers, statement, receipt."""
        platform = self._country.instance.platform
        bundle, _ = await session.evidence()
        token = jose.parse_compact(
            bundle.statement_jws, typ="inkan-statement+jws", required=("x5t#S256",)
        )
        contents = {
            "root.cer": platform.pki.hierarchy.certificate("root"),
            "card-ca.cer": platform.pki.chain_of("card-sign")[0],
            "phone-ca.cer": platform.pki.chain_of("phone-auth")[0],
            "card.cer": self._country.citizens["chen"].certificate,
            "root.crl": await platform.pki.crl("root"),
            "card.crl": await platform.pki.crl("card"),
            "phone.crl": await platform.pki.crl("phone"),
            "statement.json": token.payload,
            "receipt.jws": receipt.encode(),
            "evidence.json": msgspec.json.encode(bundle),
        }
        phone = self._phones["chen"]
        contents |= {f"phone-{use}.cer": held.der for use, held in phone.certificates.items()}
        answers = enumerate(bundle.revocation.ocsp)
        contents |= {f"ocsp-{n}.der": base64url.decode(answer) for n, answer in answers}
        await asyncio.to_thread(_write_all, folder, contents)

    async def _nation(self) -> None:
        """What a nation's authorities do, in an instance of their own beside the country."""
        folder = self._country.folder / "nation"
        async with nation(folder, self._country.instance.platform.settings) as founded:
            for name, scene in SCENES.items():
                async with self._step(name, "-") as step:
                    await scene(founded, step)

    def _expect(self, who: str) -> SubjectHint:
        number = self._country.citizens[who].part.national_id
        return SubjectHint(type="national_id", value=Personal(number))

    def _tax_office(self) -> RelyingParty:
        return RelyingParty(self._country.credentials, anchors=self._country.anchors)

    @asynccontextmanager
    async def _step(self, name: str, door: str) -> AsyncIterator[Step]:
        step = Step(name, door)
        started = time.perf_counter()
        outcome = "failed"
        try:
            yield step
            outcome = "ok"
        except CheckFailed as failed:
            step.checks.append(f"FAILED {failed}")
            raise
        except (InkanError, CallRefused) as refusal:
            step.checks.append(f"FAILED {refusal.code}: {refusal}")
            raise CheckFailed(name) from refusal
        finally:
            report = StepReport(
                name=name,
                door=door,
                checks=step.checks,
                outcome=outcome,
                ms=round((time.perf_counter() - started) * 1000, 1),
                binding=step.binding,
            )
            self._steps.append(report)
            self._tell(report)


def _write_all(folder: Path, contents: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        (folder / name).write_bytes(data)
