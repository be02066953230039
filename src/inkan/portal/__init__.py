"""The portal: pages that gather what several features know. It has no tables of its own.

Persons log in by a session of Inkan's own system, which they answer on their phone, and read at home what the
platform knows of them. Start with :class:`Portal`.
"""

from inkan.portal.model import LoginStage, LoginTry, LoginUnproved
from inkan.portal.rules import PERMISSIONS
from inkan.portal.service import Home, Portal, Use

__all__ = ["PERMISSIONS", "Home", "LoginStage", "LoginTry", "LoginUnproved", "Portal", "Use"]
