"""The provider's endpoints for programs."""

from inkan.federation.api.backchannel import backchannel_routes
from inkan.federation.api.introspection import introspection_routes
from inkan.federation.api.logout import logout_routes
from inkan.federation.api.published import published_routes
from inkan.federation.api.pushing import pushing_routes
from inkan.federation.api.signals import signal_routes
from inkan.federation.api.userinfo import userinfo_routes

__all__ = [
    "backchannel_routes",
    "introspection_routes",
    "logout_routes",
    "published_routes",
    "pushing_routes",
    "signal_routes",
    "userinfo_routes",
]
