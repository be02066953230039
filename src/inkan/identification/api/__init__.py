"""The RP API's sessions (``/v1/sessions``), what it publishes (``/v1/errors`` and so on), the Phone API's approvals."""

from inkan.identification.api import phones, systems
from inkan.identification.api.phone_events import phone_event_routes
from inkan.identification.api.phones import phone_routes
from inkan.identification.api.published import published_routes
from inkan.identification.api.rates import Rates
from inkan.identification.api.systems import rp_routes

PERMISSIONS = (*systems.PERMISSIONS, *phones.PERMISSIONS)

__all__ = [
    "PERMISSIONS",
    "Rates",
    "phone_event_routes",
    "phone_routes",
    "published_routes",
    "rp_routes",
]
