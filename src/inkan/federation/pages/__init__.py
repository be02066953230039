"""The pages of the OpenID provider."""

from inkan.federation.pages.authorization import authorization_routes
from inkan.federation.pages.device import device_routes
from inkan.federation.pages.logout import logout_page_routes

__all__ = ["authorization_routes", "device_routes", "logout_page_routes"]
