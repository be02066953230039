"""OpenID provider: what a client may ask of the platform in the words of OAuth and OpenID Connect.

Start with :class:`OpenIDProvider`; the grant (:mod:`inkan.federation.model.grant`) is the one object behind code,
``auth_req_id`` and ``device_code``.
"""

from inkan.federation.model.logout import LivingClient
from inkan.federation.rules import PERMISSIONS
from inkan.federation.service import PING_JOB, Logout, OpenIDProvider, Parts, Streams
from inkan.federation.store import EVENT_PAIRS

__all__ = [
    "EVENT_PAIRS",
    "PERMISSIONS",
    "PING_JOB",
    "LivingClient",
    "Logout",
    "OpenIDProvider",
    "Parts",
    "Streams",
]
