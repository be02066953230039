"""The sites of an instance: which feature's routes stand on which origin."""

from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from inkan import (
    accounts,
    counter,
    enrolment,
    federation,
    identification,
    notices,
    pki,
    portal,
    relying_parties,
    sandbox,
    wallet,
)
from inkan.accounts import pages as accounts_pages
from inkan.composition import openid, sandboxes
from inkan.composition.platform import Platform
from inkan.composition.settings import Environment, Limits, Settings
from inkan.counter import pages as counter_pages
from inkan.counter.pages import online as online_pages
from inkan.crypto.key_providers import KeyPurpose
from inkan.enrolment import api as enrolment_api
from inkan.enrolment import pages as enrolment_pages
from inkan.enrolment.pages.kiosk import kiosk_routes
from inkan.identification import api as identification_api
from inkan.identification import pages as identification_pages
from inkan.identification.api import described
from inkan.identification.api.rates import Rates, per_minute
from inkan.notices import api as notices_api
from inkan.notices import pages as notices_pages
from inkan.pki import Showing
from inkan.pki import api as pki_api
from inkan.pki import pages as pki_pages
from inkan.portal import api as portal_api
from inkan.portal import pages as portal_pages
from inkan.portal.service import Console, Standing
from inkan.relying_parties import api as relying_parties_api
from inkan.relying_parties import pages as relying_parties_pages
from inkan.signing import api as signing_api
from inkan.wallet import api as wallet_api
from inkan.wallet import pages as wallet_pages
from inkan.wallet.service import Shell, WalletFacts, read_reader
from inkan.web.app import Application, Equipment, Site, build_app
from inkan.web.cors import CORS
from inkan.web.exchange import MenuItem
from inkan.web.openapi import Document
from inkan.web.replay import ReplayMemory
from inkan.web.routes import Group
from inkan.web.templates import Templates

# RFC 9449 §11.1: a proof is admitted for its window, so its id is remembered as long.
PROOF_WINDOW_S = 70.0

_PERSON = frozenset({"person"})
_STAFF = frozenset({"administrator", "operator", "rp_officer", "auditor", "ca_officer"})
MENU = (
    MenuItem(text="Console", path=portal_pages.CONSOLE_PATH, roles=_STAFF),
    MenuItem(text="My home", path=portal_pages.HOME_PATH, roles=_PERSON),
    MenuItem(text="Usage records", path=portal_pages.RECORDS_PATH, roles=_PERSON),
    MenuItem(text="Notices", path=portal_pages.NOTICES_PATH, roles=_PERSON),
    MenuItem(text="Bind a phone", path=enrolment_pages.START_PATH),
    *relying_parties_pages.MENU,
    *counter_pages.MENU,
    MenuItem(text="Verify", path=portal_pages.VERIFY_PATH),
)
"""The menu of the platform's pages: who sees which entry."""

FOOT = (
    MenuItem(text="Verify", path=portal_pages.VERIFY_PATH),
    MenuItem(text="Status", path=portal_pages.STATUS_PATH),
    MenuItem(text="News", path=notices_pages.NEWS_PATH),
    MenuItem(text="Help", path=portal_pages.HELP_PATH),
    *online_pages.FOOT,
    *pki_pages.MENU,
)
"""The links at the foot of the platform's pages."""

PAGED = (
    accounts,
    counter,
    enrolment,
    federation,
    identification,
    notices,
    pki,
    portal,
    relying_parties,
    sandbox,
    wallet,
)
"""The features that bring templates, static files and texts."""


def application(platform: Platform) -> Application:
    """The ASGI application of an instance."""
    settings, clock = platform.settings, platform.clock
    replay = ReplayMemory(window_s=PROOF_WINDOW_S)
    systems = relying_parties_api.authenticator(
        platform.relying_parties,
        replay=replay,
        clock=clock,
        others=sandboxes.schemes(platform.sandbox),
    )
    phones = enrolment_api.authenticator(platform.enrolment, replay=replay, clock=clock)
    from_wallet = CORS(frozenset({settings.origins.wallet}))
    rates = rates_of(settings.limits)
    showing = Showing(pki=platform.pki, workers=platform.workers)
    groups = [
        relying_parties_api.routes(platform.relying_parties),
        *openid.groups(platform, systems, replay=replay),
        identification_api.rp_routes(platform.identification, systems, rates=rates),
        identification_api.published_routes(
            platform.identification, platform.webhooks, systems, rates=rates
        ),
        signing_api.rp_routes(
            platform.signing,
            systems,
            limit=rates.calls,
            share=rates.share,
            refusals=described.AUTHENTICATION,
        ),
        identification_api.phone_routes(platform.identification, phones, cors=from_wallet),
        identification_api.phone_event_routes(platform.identification, phones, cors=from_wallet),
        enrolment_api.desk_routes(platform.enrolment),
        enrolment_api.phone_routes(
            platform.enrolment, platform.pki, phones, showing=showing, cors=from_wallet
        ),
        enrolment_api.kiosk_phone_routes(platform.enrolment, phones, cors=from_wallet),
        pki_api.timestamp_routes(platform.pki, per_minute=settings.pki.timestamps_per_minute),
        *pki_api.routes(platform.pki, live_per_minute=settings.pki.ocsp_live_per_minute),
        notices_api.phone_routes(
            platform.notices,
            phones,
            cors=from_wallet,
            hold=lambda principal: platform.enrolment.hold(principal.record),
        ),
        accounts_pages.routes(platform.accounts),
        identification_pages.page_routes(platform.identification),
        identification_pages.watch_routes(
            platform.identification,
            camera=settings.environment is not Environment.PRODUCTION,
        ),
        enrolment_pages.page_routes(platform.enrolment),
        enrolment_pages.request_routes(
            platform.enrolment,
            card_clients=settings.enrolment.card_clients,
            camera=settings.environment is not Environment.PRODUCTION,
            loopback=settings.cards.agent,
        ),
        *kiosk_routes(platform.enrolment, agent=settings.cards.agent),
        *portal_groups(platform),
        *camera_groups(platform, cors=from_wallet),
        *public_groups(platform, showing),
        portal_api.phone_routes(platform.portal, phones, cors=from_wallet),
        *relying_parties_pages.routes(platform.applications, platform.relying_parties),
        *pki_pages.routes(showing),
        *counter_pages.routes(platform.counter, loopback=settings.cards.agent),
        *online_pages.routes(
            platform.counter,
            showing,
            certificate_facts=pki_pages.certificate_facts,
            agent_address=settings.cards.agent,
        ),
        *sandboxes.groups(platform.sandbox, systems),
    ]
    documents = (
        Document(
            path="/v1/openapi.json",
            title="Inkan RP API",
            prefix="/v1/",
            description=described.DESCRIPTION,
            security=described.SECURITY,
        ),
        Document(path="/phone/v1/openapi.json", title="Inkan Phone API", prefix="/phone/v1/"),
        Document(path="/enrol/v1/openapi.json", title="Inkan desk API", prefix="/enrol/v1/"),
    )
    templates = Templates({feature.__name__.split(".")[-1]: _folder(feature) for feature in PAGED})
    equipment = Equipment(
        clock=clock,
        csrf_key=platform.keys.secret("csrf", KeyPurpose.MAC),
        templates=templates,
        around=sandboxes.around(platform.sandbox),
        certificate_proxies=settings.server.certificate_header,
        permissions=(
            *accounts.PERMISSIONS,
            *notices.PERMISSIONS,
            *relying_parties.PERMISSIONS,
            *enrolment_api.PERMISSIONS,
            *counter.PERMISSIONS,
            *signing_api.PERMISSIONS,
            *identification_api.PERMISSIONS,
            *federation.PERMISSIONS,
            *portal.PERMISSIONS,
            *sandbox.PERMISSIONS,
        ),
    )
    site = Site(
        name="Inkan",
        origin=settings.origins.platform,
        groups=groups,
        documents=documents,
        help="/v1/errors/",
        menu=(*MENU, *sandboxes.menu(platform.sandbox)),
        foot=FOOT,
    )
    wallets = Site(
        name="Inkan",
        origin=settings.origins.wallet,
        groups=[
            wallet_api.routes(settings.wallet.apps),
            *wallet_pages.routes(Shell(templates, wallet_facts(settings), read_reader())),
            wallet_pages.confirmation_routes(platform.identification),
        ],
    )
    return build_app([site, wallets], equipment)


def wallet_facts(settings: Settings) -> WalletFacts:
    """What the wallet is told of the instance."""
    return WalletFacts(
        platform=settings.origins.platform,
        wallet=settings.origins.wallet,
        is_test=settings.environment is not Environment.PRODUCTION,
        official_site=settings.wallet.official_site or settings.origins.platform,
        version=version("inkan"),
        screens=settings.wallet.screens,
    )


def rates_of(limits: Limits) -> Rates:
    """The rates of the RP API as the settings have them."""
    return Rates(
        sessions=per_minute("sessions", limits.sessions_per_minute),
        calls=per_minute("calls", limits.calls_per_minute),
        published=per_minute("published", limits.published_per_minute),
        verifications=per_minute("verifications", limits.verifications_per_minute),
        times={each.code: each.times for each in limits.systems},
    )


def portal_groups(platform: Platform) -> list[Group]:
    """The pages for persons; outside production a phone without a camera may read the code as text."""
    camera = platform.settings.environment is not Environment.PRODUCTION
    return [
        portal_pages.login_routes(platform.portal),
        portal_pages.code_routes(platform.portal, camera=camera),
        portal_pages.home_routes(platform.portal, platform.accounts),
        portal_pages.phone_routes(platform.portal, platform.accounts),
        portal_pages.use_routes(platform.portal, platform.accounts),
        portal_pages.export_routes(platform.portal, platform.accounts),
        portal_pages.consent_routes(platform.portal, platform.accounts),
        portal_pages.client_routes(platform.openid.logout, platform.accounts),
    ]


def camera_groups(platform: Platform, *, cors: CORS) -> list[Group]:
    """Codes as text, for phones without a camera; none in production."""
    if platform.settings.environment is Environment.PRODUCTION:
        return []
    return [
        enrolment_pages.camera_routes(platform.enrolment, cors=cors),
        portal_pages.camera_routes(platform.portal, cors=cors),
    ]


def public_groups(platform: Platform, showing: Showing) -> list[Group]:
    """The pages for everybody and for operators that gather several features, and those of announcements."""
    standing = Standing(
        db=platform.db,
        clock=platform.clock,
        audit=platform.audit,
        pki=platform.pki,
        identification=platform.identification,
    )
    console = Console(
        db=platform.db,
        audit=platform.audit,
        notices=platform.notices,
        people=platform.people,
        approvals=platform.approvals,
    )
    return [
        portal_pages.verify_routes(
            platform.identification.desk, partial(pki_pages.show_certificate, showing)
        ),
        portal_pages.status_routes(standing, platform.identification),
        portal_pages.help_routes(),
        portal_pages.console_routes(console, standing, platform.accounts),
        notices_pages.news_routes(platform.notices),
        notices_pages.console_routes(
            platform.notices,
            accounts.authenticator(platform.accounts),
            login_path=portal_pages.STAFF_LOGIN_PATH,
            actor_of=lambda principal: accounts.actor_of(principal.record),
        ),
    ]


def _folder(feature: ModuleType) -> Path:
    """Where a feature keeps its templates, static files and texts."""
    return Path(str(feature.__file__)).parent
