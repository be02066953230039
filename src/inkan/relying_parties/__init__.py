"""Relying parties: organisations, their systems and keys, and the token endpoint."""

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
from inkan.relying_parties.rules import ASSERTION_LIFE, OWN_SYSTEM, TOKEN_LIFE
from inkan.relying_parties.service import Client, Grant, RelyingParties, TokenAnswer
from inkan.relying_parties.store import EVENT_PAIRS

__all__ = [
    "ASSERTION_LIFE",
    "EVENT_PAIRS",
    "OWN_SYSTEM",
    "TOKEN_LIFE",
    "WEBHOOKS_LIMIT",
    "Client",
    "Grant",
    "OAuthError",
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
]
