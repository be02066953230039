"""Relying parties: organisations, their applications, systems and keys, and the token endpoint.

Start with :class:`RelyingParties` for what systems do, and with :class:`Applications` for how they come to be.
"""

from inkan.relying_parties.model import (
    WEBHOOKS_LIMIT,
    OAuthInvalidDPoPProof,
    Purpose,
    System,
    SystemExists,
    SystemNotFound,
    SystemPrincipal,
    SystemRegistration,
    SystemState,
    SystemSuspended,
    TokenRefused,
    Webhook,
)
from inkan.relying_parties.model.application import Application, ApplicationState, Draft
from inkan.relying_parties.model.export import ExporterFile
from inkan.relying_parties.model.openid import (
    AuthMethod,
    Delivery,
    GrantType,
    OpenIDRegistration,
)
from inkan.relying_parties.model.window import LiveKey, LoadWindow, WindowStep
from inkan.relying_parties.rules import (
    ASSERTION_LIFE,
    OWN_SYSTEM,
    PERMISSIONS,
    TOKEN_LIFE,
    is_address,
    is_within,
)
from inkan.relying_parties.service import (
    Applications,
    Client,
    Exporter,
    Form,
    Grant,
    Parts,
    RelyingParties,
    TokenAnswer,
)
from inkan.relying_parties.store import EVENT_PAIRS as _REGISTER_PAIRS
from inkan.relying_parties.store.applications import EVENT_PAIRS as _APPLICATION_PAIRS
from inkan.relying_parties.store.entitlements import EVENT_PAIRS as _ENTITLEMENT_PAIRS

EVENT_PAIRS = [*_REGISTER_PAIRS, *_APPLICATION_PAIRS, *_ENTITLEMENT_PAIRS]

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
    "AuthMethod",
    "Client",
    "Delivery",
    "Draft",
    "Exporter",
    "ExporterFile",
    "Form",
    "Grant",
    "GrantType",
    "LiveKey",
    "LoadWindow",
    "OAuthInvalidDPoPProof",
    "OpenIDRegistration",
    "Parts",
    "Purpose",
    "RelyingParties",
    "System",
    "SystemExists",
    "SystemNotFound",
    "SystemPrincipal",
    "SystemRegistration",
    "SystemState",
    "SystemSuspended",
    "TokenAnswer",
    "TokenRefused",
    "Webhook",
    "WindowStep",
    "is_address",
    "is_within",
]
