"""Relying parties: organisations, their systems and keys, and the token endpoint."""

from inkan.relying_parties.model import (
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
from inkan.relying_parties.rules import OWN_SYSTEM
from inkan.relying_parties.service import Client, Grant, RelyingParties, TokenAnswer
from inkan.relying_parties.store import EVENT_PAIRS

__all__ = [
    "EVENT_PAIRS",
    "OWN_SYSTEM",
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
