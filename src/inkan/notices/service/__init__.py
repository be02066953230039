"""The use cases and steps of notices: tell, wake, deliver, read; contacts, news and push subscriptions."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from inkan.audit import Actor, ActorKind, Audit
from inkan.kernel.clock import Clock
from inkan.notices import store
from inkan.notices.model import (
    CarrierName,
    CarrierState,
    Contact,
    EndReason,
    MailAddress,
    NewsItem,
    NewsState,
    NewsTexts,
    Notice,
    PushAddress,
    PushUnavailable,
)
from inkan.notices.ports import Carrier
from inkan.notices.rules import ENDED_CONTACT_LIFE, ENDED_SUBSCRIPTION_LIFE, NOTICE_LIFE
from inkan.notices.service import contacts, inbox, news, subscribing, telling
from inkan.notices.service.carriers import PollOnly, WebPush
from inkan.notices.service.mail import MAIL_JOB, MailJob, Post
from inkan.notices.service.parts import Parts
from inkan.notices.service.subscribing import PUSH_JOB, Hold, PushJob
from inkan.notices.service.waking import Waker
from inkan.store.database import MOMENT, Database, Step
from inkan.store.outbox import Handler, Job
from inkan.store.sealing import Sealer
from inkan.web.languages import Formats, Language

PUSH_CONCURRENCY = 32
"""Push services answer in tens of milliseconds; one that hangs holds its place for five seconds."""


class Notices:
    """Notices, contacts, news and push subscriptions of one instance."""

    def __init__(
        self,
        *,
        db: Database,
        audit: Audit,
        sealer: Sealer,
        clock: Clock,
        spool: Path,
        sender: str,
        zone: tzinfo | None = None,
        carriers: Mapping[CarrierName, Carrier] | None = None,
        push_key: str = "",
    ) -> None:
        """Deliver mail into ``spool``.

        Args:
            db: the instance's database.
            audit: the instance's log.
            sealer: seals addresses and facts.
            clock: the instance's clock.
            spool: folder that a mail system empties; made at the first mail.
            sender: mail address in ``From``.
            zone: where the readers live; moments are shown in it.
            carriers: the ways to wake a phone besides polling.
            push_key: what browsers subscribe with; none when nothing speaks Web Push.

        Raises:
            MailAddressMalformed: the sender is no mail address.
        """
        formats = {
            language: Formats(language, zone or ZoneInfo("Asia/Taipei")) for language in Language
        }
        self._db = db
        self._parts = Parts(db=db, audit=audit, sealer=sealer, clock=clock, formats=formats)
        self._post = Post(self._parts, spool=spool, sender=sender)
        self._carriers = {CarrierName.POLL_ONLY: PollOnly(), **(carriers or {})}
        self._waker = Waker(self._parts, self._carriers)
        self._push_key = push_key

    # --- telling, in the transaction of a use case -----------------------------------------------

    def notify(
        self,
        recipient: str,
        template: str,
        facts: dict[str, str],
        *,
        phones: Sequence[str] = (),
        contacts_before: datetime | None = None,
    ) -> Step[None]:
        """Step: see :func:`inkan.notices.service.telling.notify`."""
        return telling.notify(
            self._parts,
            recipient,
            template,
            facts,
            phones=phones,
            contacts_before=contacts_before,
        )

    # --- delivering ------------------------------------------------------------------------------

    async def deliver_mail(self, job: Job) -> None:
        """The outbox's handler of :data:`MAIL_JOB`; see :meth:`inkan.notices.service.mail.Post.deliver`."""
        await self._post.deliver(job)

    @property
    def handlers(self) -> dict[str, Handler]:
        """What the composition registers with the outbox."""
        return {
            MAIL_JOB: Handler(self.deliver_mail),
            PUSH_JOB: Handler(self._waker.deliver, concurrency=PUSH_CONCURRENCY),
        }

    # --- push ------------------------------------------------------------------------------------

    @property
    def push_key(self) -> str:
        """The application server's key (RFC 8292 §3.2): base64url of the 65-byte point.

        Raises:
            PushUnavailable: this instance speaks no Web Push.
        """
        if not self._push_key:
            raise PushUnavailable("no Web Push here")
        return self._push_key

    async def subscribe(
        self,
        phone: str,
        carrier: CarrierName,
        address: PushAddress | None = None,
        *,
        hold: Hold | None = None,
    ) -> None:
        """See :func:`inkan.notices.service.subscribing.subscribe`."""
        await subscribing.subscribe(self._parts, self._carriers, phone, carrier, address, hold=hold)

    async def unsubscribe(self, phone: str) -> bool:
        """Wake a phone no more, as it asks itself; False when it had no live subscription."""
        return await self._db.transact(
            subscribing.end_of_phone,
            self._parts,
            phone,
            reason=EndReason.UNSUBSCRIBED,
            actor=Actor(ActorKind.PHONE, phone),
        )

    def end_subscriptions(self, phone: str, *, actor: Actor) -> Step[bool]:
        """Step: a phone has ended, and so does its subscription (design §5.2 step 9); False when it had none."""
        return subscribing.end_of_phone(
            self._parts, phone, reason=EndReason.PHONE_ENDED, actor=actor
        )

    def wake(self, *, phones: Sequence[str], handle: str, ttl_s: int) -> Step[int]:
        """Step: see :func:`inkan.notices.service.subscribing.wake`."""
        return subscribing.wake(phones=phones, handle=handle, ttl_s=ttl_s)

    # --- reading ---------------------------------------------------------------------------------

    async def inbox(self, recipient: str, *, language: Language) -> list[Notice]:
        """The newest 50 notices of a recipient, newest first, in the reader's language."""
        return await self._db.read(inbox.read_inbox, self._parts, recipient, language)

    # --- contacts --------------------------------------------------------------------------------

    def set_contact(
        self, recipient: str, address: MailAddress, *, language: Language, actor: Actor
    ) -> Step[None]:
        """Step: see :func:`inkan.notices.service.contacts.set_contact`."""
        return contacts.set_contact(self._parts, recipient, address, language=language, actor=actor)

    def remove_contact(self, recipient: str, *, actor: Actor) -> Step[bool]:
        """Step: see :func:`inkan.notices.service.contacts.remove_contact`."""
        return contacts.remove_contact(self._parts, recipient, actor=actor)

    def contacts_before(self, recipient: str, moment: datetime) -> Step[list[Contact]]:
        """Step: the contacts that a recipient had just before ``moment``, replaced ones included."""
        return contacts.contacts_before(self._parts, recipient, moment)

    async def contacts(self, recipient: str) -> list[Contact]:
        """The present contacts of a recipient."""
        return await self._db.read(contacts.contacts_now, self._parts, recipient)

    def forget(self, recipient: str) -> Step[None]:
        """Step: erase all that is kept of a recipient; the use case that joins it is the event."""
        yield store.FORGET_CONTACTS.run(recipient_id=recipient)
        yield store.FORGET_SUBSCRIPTIONS.run(recipient_id=recipient)
        yield store.FORGET_NOTICES.run(recipient_id=recipient)

    # --- news ------------------------------------------------------------------------------------

    async def publish_news(
        self,
        title: NewsTexts,
        text: NewsTexts,
        *,
        actor: Actor,
        published_at: datetime | None = None,
    ) -> str:
        """See :func:`inkan.notices.service.news.publish`; returns the announcement's id."""
        return await news.publish(self._parts, title, text, actor=actor, published_at=published_at)

    async def withdraw_news(self, news_id: str, *, actor: Actor) -> None:
        """Take an announcement back.

        Raises:
            NewsUnknown: no such announcement, or withdrawn before.
        """
        await self._db.transact(news.withdraw, self._parts, news_id, actor=actor)

    async def news(self, language: Language) -> list[NewsItem]:
        """The newest 50 announcements, newest first, in one language (TW-39)."""
        return await self._db.read(news.newest, language)

    async def news_item(self, news_id: str, language: Language) -> NewsItem:
        """See :func:`inkan.notices.service.news.get`."""
        return await self._db.read(news.get, news_id, language)

    async def all_news(self) -> list[NewsState]:
        """See :func:`inkan.notices.service.news.every`."""
        return await self._db.read(news.every)

    async def carriers(self) -> list[CarrierState]:
        """See :func:`inkan.notices.service.subscribing.carrier_states`."""
        return await self._db.read(subscribing.carrier_states, set(self._carriers))

    # --- schedule --------------------------------------------------------------------------------

    async def purge(self) -> None:
        """Forget notices of more than a year, contacts and subscriptions that ended a month ago; a schedule's work."""
        await self._db.transact(_purge)


def _purge() -> Step[None]:
    moment = yield MOMENT
    yield store.PURGE_NOTICES.run(before=moment - NOTICE_LIFE)
    yield store.PURGE_CONTACTS.run(before=moment - ENDED_CONTACT_LIFE)
    yield store.PURGE_SUBSCRIPTIONS.run(before=moment - ENDED_SUBSCRIPTION_LIFE)


__all__ = ["MAIL_JOB", "PUSH_JOB", "MailJob", "Notices", "PollOnly", "PushJob", "WebPush"]
