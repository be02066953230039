"""Pages for persons, for everybody and for operators on the platform's host."""

from inkan.portal.pages import advice, console, judged_words, status, words
from inkan.portal.pages.advice import help_routes
from inkan.portal.pages.clients import client_routes
from inkan.portal.pages.consents import consent_routes
from inkan.portal.pages.console import console_routes
from inkan.portal.pages.home import home_routes
from inkan.portal.pages.login import PROOF_COOKIE, camera_routes, code_routes, login_routes
from inkan.portal.pages.phones import phone_routes
from inkan.portal.pages.places import (
    BROWSERS_PATH,
    CERTIFICATES_PATH,
    CLIENTS_PATH,
    CONSENTS_PATH,
    CONSOLE_PATH,
    FOLDER,
    FREEZE_PATH,
    HELP_PATH,
    HOME_PATH,
    NOTICES_PATH,
    PHONES_PATH,
    RECORDS_PATH,
    STAFF_LOGIN_PATH,
    STATUS_PATH,
    VERIFY_PATH,
)
from inkan.portal.pages.status import status_routes
from inkan.portal.pages.uses import export_routes, use_routes
from inkan.portal.pages.verify import verify_routes
from inkan.portal.pages.words import OUTCOMES, PHONE_STATES

WORDS = words.WORDS | judged_words.WORDS | status.WORDS | advice.WORDS | console.WORDS
"""Every text of these pages that stands in a table; a test looks for its translations."""

__all__ = [
    "BROWSERS_PATH",
    "CERTIFICATES_PATH",
    "CLIENTS_PATH",
    "CONSENTS_PATH",
    "CONSOLE_PATH",
    "FOLDER",
    "FREEZE_PATH",
    "HELP_PATH",
    "HOME_PATH",
    "NOTICES_PATH",
    "OUTCOMES",
    "PHONES_PATH",
    "PHONE_STATES",
    "PROOF_COOKIE",
    "RECORDS_PATH",
    "STAFF_LOGIN_PATH",
    "STATUS_PATH",
    "VERIFY_PATH",
    "WORDS",
    "camera_routes",
    "client_routes",
    "code_routes",
    "consent_routes",
    "console_routes",
    "export_routes",
    "help_routes",
    "home_routes",
    "login_routes",
    "phone_routes",
    "status_routes",
    "use_routes",
    "verify_routes",
]
