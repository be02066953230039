"""Pages for persons on the platform's host: the start page, the login by phone, and the person's home."""

from inkan.portal.pages.consents import consent_routes
from inkan.portal.pages.home import home_routes
from inkan.portal.pages.login import PROOF_COOKIE, code_routes, login_routes
from inkan.portal.pages.phones import phone_routes
from inkan.portal.pages.places import (
    BROWSERS_PATH,
    CERTIFICATES_PATH,
    CONSENTS_PATH,
    FOLDER,
    FREEZE_PATH,
    HOME_PATH,
    NOTICES_PATH,
    PHONES_PATH,
    RECORDS_PATH,
)
from inkan.portal.pages.uses import export_routes, use_routes
from inkan.portal.pages.words import OUTCOMES, PHONE_STATES, WORDS

__all__ = [
    "BROWSERS_PATH",
    "CERTIFICATES_PATH",
    "CONSENTS_PATH",
    "FOLDER",
    "FREEZE_PATH",
    "HOME_PATH",
    "NOTICES_PATH",
    "OUTCOMES",
    "PHONES_PATH",
    "PHONE_STATES",
    "PROOF_COOKIE",
    "RECORDS_PATH",
    "WORDS",
    "code_routes",
    "consent_routes",
    "export_routes",
    "home_routes",
    "login_routes",
    "phone_routes",
    "use_routes",
]
