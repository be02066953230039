"""What the portal does itself: logins and homes, how the instance stands, and what staff looks after."""

from inkan.portal.service.console import Console, Queue, Reported, Revealed
from inkan.portal.service.home import Home, Portal, Use, camera_name
from inkan.portal.service.standing import Component, Standing

__all__ = [
    "Component",
    "Console",
    "Home",
    "Portal",
    "Queue",
    "Reported",
    "Revealed",
    "Standing",
    "Use",
    "camera_name",
]
