"""A library's reading room: a relying party that speaks plain OpenID Connect and knows nothing else of the platform."""

from inkan.apps.showcase.reading_room.application import (
    BACKCHANNEL_PATH,
    RETURN_PATH,
    reading_room,
)
from inkan.apps.showcase.reading_room.pages import GOODBYE_PATH
from inkan.apps.showcase.reading_room.provider import Registration

__all__ = ["BACKCHANNEL_PATH", "GOODBYE_PATH", "RETURN_PATH", "Registration", "reading_room"]
