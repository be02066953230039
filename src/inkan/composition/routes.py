"""The sites of an instance: which feature's routes stand on which origin."""

from pathlib import Path
from types import ModuleType

from inkan import accounts, notices, pki
from inkan.accounts import pages as accounts_pages
from inkan.composition.platform import Platform
from inkan.crypto.key_providers import KeyPurpose
from inkan.enrolment import api as enrolment_api
from inkan.identification import api as identification_api
from inkan.notices import api as notices_api
from inkan.pki import api as pki_api
from inkan.pki import pages as pki_pages
from inkan.pki.service.showing import Showing
from inkan.relying_parties import api as relying_parties_api
from inkan.web.app import Application, Equipment, Site, build_app
from inkan.web.cors import CORS
from inkan.web.openapi import Document
from inkan.web.replay import ReplayMemory
from inkan.web.templates import Templates

# RFC 9449 §11.1: a proof is admitted for its window, so its id is remembered as long.
PROOF_WINDOW_S = 70.0


def application(platform: Platform) -> Application:
    """The ASGI application of an instance."""
    settings, clock = platform.settings, platform.clock
    replay = ReplayMemory(window_s=PROOF_WINDOW_S)
    systems = relying_parties_api.authenticator(
        platform.relying_parties, replay=replay, clock=clock
    )
    phones = enrolment_api.authenticator(platform.enrolment, replay=replay, clock=clock)
    wallet = CORS(frozenset({settings.origins.wallet}))
    groups = [
        relying_parties_api.routes(platform.relying_parties),
        identification_api.rp_routes(platform.identification, systems),
        identification_api.phone_routes(platform.identification, phones, cors=wallet),
        enrolment_api.desk_routes(platform.enrolment),
        enrolment_api.phone_routes(platform.enrolment, platform.pki, phones, cors=wallet),
        pki_api.routes(platform.pki),
        notices_api.phone_routes(platform.notices, phones, cors=wallet),
        accounts_pages.routes(platform.accounts),
        *pki_pages.routes(Showing(pki=platform.pki, workers=platform.workers)),
    ]
    documents = (
        Document(path="/v1/openapi.json", title="Inkan RP API", prefix="/v1/"),
        Document(path="/phone/v1/openapi.json", title="Inkan Phone API", prefix="/phone/v1/"),
        Document(path="/enrol/v1/openapi.json", title="Inkan desk API", prefix="/enrol/v1/"),
    )
    equipment = Equipment(
        clock=clock,
        csrf_key=platform.keys.secret("csrf", KeyPurpose.MAC),
        templates=Templates({"accounts": _folder(accounts), "pki": _folder(pki)}),
        permissions=(
            *accounts.PERMISSIONS,
            *notices.PERMISSIONS,
            *enrolment_api.PERMISSIONS,
            *identification_api.PERMISSIONS,
        ),
    )
    site = Site(
        name="Inkan",
        origin=settings.origins.platform,
        groups=groups,
        documents=documents,
        menu=pki_pages.MENU,
    )
    return build_app([site], equipment)


def _folder(feature: ModuleType) -> Path:
    """Where a feature keeps its templates, static files and texts."""
    return Path(str(feature.__file__)).parent
