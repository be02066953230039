"""The pages of the wallet's origin: the wallet itself, and the passkey asked for after an answer."""

from inkan.wallet.pages.confirmation import confirmation_routes, parse_answer
from inkan.wallet.pages.shell import policy, routes

__all__ = ["confirmation_routes", "parse_answer", "policy", "routes"]
