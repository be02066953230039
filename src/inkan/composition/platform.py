"""One instance of the platform: settings become stores, stores become features, features become routes.

Read this file from top to bottom and you know what an instance is made of. Nothing here decides; the features do.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from inkan import (
    accounts,
    approvals,
    attributes,
    counter,
    enrolment,
    federation,
    identification,
    notices,
    people,
    pki,
    relying_parties,
    sandbox,
    signing,
)
from inkan.accounts import Accounts
from inkan.approvals import Approvals
from inkan.attributes import Attributes
from inkan.audit import HEAD_KEY, Audit
from inkan.composition import card_authorities, exporters, sandboxes
from inkan.composition.activated import activated_keys
from inkan.composition.keys import open_others, passphrase, ring, signer
from inkan.composition.opening import count_last_uses, open_database
from inkan.composition.push import KEY_LABEL, Push, push
from inkan.composition.settings import Environment, Settings
from inkan.counter import Counter
from inkan.crypto.activation.port import ActivatedKeys
from inkan.crypto.key_files import EncryptedFileKeyProvider
from inkan.crypto.key_providers import KeyProvider, KeyPurpose
from inkan.crypto.workers.pool import WorkerPool
from inkan.enrolment import Enrolment
from inkan.federation import OpenIDProvider
from inkan.identification import Identification, WebhookSender
from inkan.kernel.clock import Clock
from inkan.notices import Notices
from inkan.people import People
from inkan.pki import PKI, Fetch, ForeignAuthority, PublicURLs, Showing
from inkan.portal import Portal
from inkan.relying_parties import Applications, Exporter, RelyingParties
from inkan.sandbox import Sandbox
from inkan.signing import Signing
from inkan.store.database import Database
from inkan.store.query import Query
from inkan.store.sealing import Sealer
from inkan.web.fetch import Fetcher

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Every feature of one running instance."""

    settings: Settings
    clock: Clock
    db: Database
    keys: KeyProvider
    workers: WorkerPool
    audit: Audit
    notices: Notices
    people: People
    accounts: Accounts
    pki: PKI
    relying_parties: RelyingParties
    applications: Applications
    attributes: Attributes
    enrolment: Enrolment
    counter: Counter
    signing: Signing
    approvals: Approvals
    identification: Identification
    openid: OpenIDProvider
    webhooks: WebhookSender
    portal: Portal
    sandbox: Sandbox | None = None

    @property
    def event_pairs(self) -> list[tuple[str, Query]]:
        """Each feature's queries that pair a state row with its audit event (design §6 Audit)."""
        features = (
            notices,
            people,
            accounts,
            pki,
            relying_parties,
            attributes,
            enrolment,
            counter,
            signing,
            approvals,
            identification,
            federation,
            sandbox,
        )
        return [
            (feature.__name__.removeprefix("inkan."), query)
            for feature in features
            for query in feature.EVENT_PAIRS
        ]


@asynccontextmanager
async def compose(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[Platform]:
    """Open an instance: its folder, keys, database (brought to the present schema) and features.

    Background work (outbox, schedules, HTTP) is not started here; see :mod:`inkan.composition.running`.

    Raises:
        SettingsWrong: production without a passphrase; a card authority or an exporter whose files are not usable.
        KeyStoreLocked: another passphrase than the key store's.
        WrongDatabase: a sandbox's database in another environment, or the reverse.
        StoreUnreachable and its like: no database.
    """
    clock = clock or Clock(may_advance=settings.environment is not Environment.PRODUCTION)
    settings.home_path.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        files = await asyncio.to_thread(
            EncryptedFileKeyProvider, settings.keys_path, passphrase(settings)
        )
        others = await open_others(settings, clock, stack)
        keys = ring(settings, clock, files, others)
        activated = await activated_keys(settings, clock, others, stack)
        db = await open_database(settings, clock)
        await db.open()
        stack.push_async_callback(db.close)
        workers = await stack.enter_async_context(
            WorkerPool(
                count=settings.workers.count,
                memory_limit_bytes=settings.workers.memory_mib * MEBIBYTE,
                timeout=timedelta(seconds=settings.workers.deadline_s),
            )
        )
        foreign = await asyncio.to_thread(card_authorities.read, settings)
        fetch = card_authorities.fetcher(settings, foreign)
        if fetch is not None:
            stack.push_async_callback(fetch.aclose)
        outgoing = Fetcher(admitted=settings.fetch.admitted)
        stack.push_async_callback(outgoing.aclose)
        platform = assemble(
            settings,
            clock=clock,
            db=db,
            keys=keys,
            workers=workers,
            foreign=foreign,
            fetch=fetch,
            trusted=await asyncio.to_thread(exporters.read, settings),
            push_fetch=outgoing,
            post=outgoing,
            activated=activated,
        )
        await sandboxes.load(platform.pki, platform.sandbox, db)
        stack.push_async_callback(count_last_uses, pki=platform.pki)
        stack.push_async_callback(platform.identification.finish)
        yield platform


def assemble(
    settings: Settings,
    *,
    clock: Clock,
    db: Database,
    keys: KeyProvider,
    workers: WorkerPool,
    foreign: Sequence[ForeignAuthority] = (),
    fetch: Fetch | None = None,
    trusted: Sequence[Exporter] = (),
    post: Fetcher | None = None,
    push_fetch: notices.Fetch | None = None,
    activated: ActivatedKeys | None = None,
) -> Platform:
    """Build every feature upon an open database: pure wiring; without ``push_fetch`` wallets ask by themselves."""
    sealer = Sealer.of(keys)
    push_ = Push({}, "")
    if push_fetch is not None:
        vapid = signer(keys, KEY_LABEL, KeyPurpose.VAPID)
        push_ = push(settings, key=vapid, fetch=push_fetch, clock=clock)
    audit = Audit(
        db=db,
        mac_key=keys.secret("audit-mac", KeyPurpose.MAC),
        head_signer=signer(keys, HEAD_KEY, KeyPurpose.AUDIT_HEAD),
    )
    notices_ = Notices(
        db=db,
        audit=audit,
        sealer=sealer,
        clock=clock,
        spool=settings.spool_path,
        sender=settings.notices.sender,
        carriers=push_.carriers,
        push_key=push_.key,
    )
    people_ = People(
        db=db,
        audit=audit,
        sealer=sealer,
        pairwise_key=keys.secret("pairwise", KeyPurpose.PAIRWISE),
    )
    accounts_ = Accounts(
        db=db,
        audit=audit,
        sealer=sealer,
        notices=notices_,
        clock=clock,
        rp_id=settings.staff_rp_id,
        origin=settings.origins.platform,
    )
    pki_ = PKI(
        db=db,
        audit=audit,
        keys=keys,
        sealer=sealer,
        workers=workers,
        clock=clock,
        urls=PublicURLs(origin=settings.origins.platform),
        lint=settings.pki.lint,
        quorum=settings.environment is Environment.PRODUCTION,
        crl_life=timedelta(hours=settings.pki.crl_hours),
        ocsp_life=timedelta(minutes=settings.pki.ocsp_minutes),
        foreign=foreign,
        fetch=fetch,
        foreign_life=timedelta(minutes=settings.cards.status_minutes),
        timestamp_accuracy=timedelta(milliseconds=settings.pki.timestamp_accuracy_ms),
    )
    audit.certify_heads(pki_.head_chain)
    relying_parties_ = RelyingParties(
        db=db,
        audit=audit,
        clock=clock,
        issuer=settings.origins.platform,
        token_key=signer(keys, "token", KeyPurpose.TOKEN),
        nonce_key=keys.secret("dpop-nonce", KeyPurpose.MAC),
        loopback=settings.environment is not Environment.PRODUCTION,
        imports_only=settings.environment is Environment.PRODUCTION,
    )
    applications_ = Applications(
        relying_parties.Parts(
            db=db,
            audit=audit,
            sealer=sealer,
            clock=clock,
            accounts=accounts_,
            pki=pki_,
            register=relying_parties_.register_of_systems,
            issuer=settings.origins.platform,
            sandbox=settings.environment is not Environment.PRODUCTION,
        ),
        export_key=partial(signer, keys, "registration", KeyPurpose.REGISTRATION),
        report_key=partial(signer, keys, "conformance", KeyPurpose.CONFORMANCE),
        trusted=trusted,
    )
    attributes_ = Attributes(db=db, audit=audit, people=people_, sealer=sealer)
    enrolment_ = Enrolment(
        enrolment.Parts(
            db=db,
            audit=audit,
            people=people_,
            pki=pki_,
            notices=notices_,
            issuer=settings.origins.platform,
            wallet_origin=settings.origins.wallet,
            rp_id=settings.rp_id,
            qr_master=keys.secret("enrolment-qr", KeyPurpose.MAC),
            sealer=sealer,
            activated=activated,
            networks=settings.activation.networks,
            kiosks=settings.enrolment.kiosks,
        )
    )
    counter_ = Counter(
        counter.Parts(
            db=db,
            audit=audit,
            sealer=sealer,
            clock=clock,
            keys=keys,
            accounts=accounts_,
            people=people_,
            pki=pki_,
            enrolment=enrolment_,
            notices=notices_,
            issuer=settings.origins.platform,
            workers=workers,
            paper_font=settings.counter.paper_font,
        )
    )
    signing_ = Signing(db=db, audit=audit, sealer=sealer)
    approvals_ = Approvals(sealer=sealer)
    identification_ = Identification(
        identification.Parts(
            db=db,
            audit=audit,
            sealer=sealer,
            approvals=approvals_,
            enrolment=enrolment_,
            people=people_,
            pki=pki_,
            notices=notices_,
            relying_parties=relying_parties_,
            attributes=attributes_,
            signing=signing_,
            issuer=settings.origins.platform,
            wallet_origin=settings.origins.wallet,
            qr_master=keys.secret("session-qr", KeyPurpose.MAC),
        )
    )
    outgoing = post or Fetcher(admitted=settings.fetch.admitted)
    openid_ = OpenIDProvider(
        federation.Parts(
            db=db,
            audit=audit,
            sealer=sealer,
            clock=clock,
            keys=keys,
            people=people_,
            pki=pki_,
            enrolment=enrolment_,
            relying_parties=relying_parties_,
            attributes=attributes_,
            identification=identification_,
            issuer=settings.origins.platform,
            reuse_s=settings.openid.reuse_s,
        ),
        post=outgoing,
        loopback=settings.environment is not Environment.PRODUCTION,
    )
    relying_parties_.join(openid_.grants, sign=openid_.tokens.keys.sign)
    webhooks_ = WebhookSender(
        post=outgoing,
        key=signer(keys, "webhook", KeyPurpose.WEBHOOK),
        clock=clock,
    )
    portal_ = Portal(
        clock=clock,
        accounts=accounts_,
        people=people_,
        enrolment=enrolment_,
        identification=identification_,
        notices=notices_,
        relying_parties=relying_parties_,
        pki=pki_,
        showing=Showing(pki=pki_, workers=workers),
        origin=settings.origins.platform,
    )
    return Platform(
        settings=settings,
        clock=clock,
        db=db,
        keys=keys,
        workers=workers,
        audit=audit,
        notices=notices_,
        people=people_,
        accounts=accounts_,
        pki=pki_,
        relying_parties=relying_parties_,
        applications=applications_,
        attributes=attributes_,
        enrolment=enrolment_,
        counter=counter_,
        signing=signing_,
        approvals=approvals_,
        identification=identification_,
        openid=openid_,
        webhooks=webhooks_,
        portal=portal_,
        sandbox=sandboxes.build(
            settings,
            keys=keys,
            db=db,
            audit=audit,
            clock=clock,
            people=people_,
            pki=pki_,
            enrolment=enrolment_,
            relying_parties=relying_parties_,
            identification=identification_,
        ),
    )
