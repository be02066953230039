"""Relying parties: organisations, their applications, systems and keys, and the token endpoint.

Start with :class:`RelyingParties` for what systems do, and with :class:`Applications` for how they come to be.
"""

from inkan.relying_parties.model import (
    WEBHOOKS_LIMIT,
    OAuthError,
    Purpose,
    System,
    SystemExists,
    SystemNotFound,
    SystemPrincipal,
    SystemRegistration,
    SystemSuspended,
    TokenRefused,
    Webhook,
)
from inkan.relying_parties.model.application import Application, ApplicationState, Draft
from inkan.relying_parties.model.export import ExporterFile
from inkan.relying_parties.model.window import LiveKey, LoadWindow, WindowStep
from inkan.relying_parties.rules import ASSERTION_LIFE, OWN_SYSTEM, PERMISSIONS, TOKEN_LIFE
from inkan.relying_parties.service import (
    Applications,
    Client,
    Exporter,
    Grant,
    Parts,
    RelyingParties,
    TokenAnswer,
)
from inkan.relying_parties.store import EVENT_PAIRS as _REGISTER_PAIRS
from inkan.relying_parties.store.applications import EVENT_PAIRS as _APPLICATION_PAIRS

EVENT_PAIRS = [*_REGISTER_PAIRS, *_APPLICATION_PAIRS]

__all__ = [
    "ASSERTION_LIFE",
    "EVENT_PAIRS",
    "OWN_SYSTEM",
    "PERMISSIONS",
    "TOKEN_LIFE",
    "WEBHOOKS_LIMIT",
    "Application",
    "ApplicationState",
    "Applications",
    "Client",
    "Draft",
    "Exporter",
    "ExporterFile",
    "Grant",
    "LiveKey",
    "LoadWindow",
    "OAuthError",
    "Parts",
    "Purpose",
    "RelyingParties",
    "System",
    "SystemExists",
    "SystemNotFound",
    "SystemPrincipal",
    "SystemRegistration",
    "SystemSuspended",
    "TokenAnswer",
    "TokenRefused",
    "Webhook",
    "WindowStep",
]
