"""The kiosk of the test country: a page that any window of this computer becomes, with the card desk's reader."""

import hashlib
from dataclasses import dataclass
from typing import Final, Self

from inkan.crypto import base64url
from inkan.enrolment import Kiosk, KioskKind
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret
from inkan.schemes import Texts

NAME: Final = "station-1"
PLACE: Final = Texts(en="The station's hall", ja="駅の広場", zh_hant="車站大廳")
_SECRET_OCTETS: Final = 32


@dataclass(frozen=True)
class DemoKiosk:
    """A kiosk and what is typed into its browser once.

    Attributes:
        kiosk: as the settings hold it.
        secret: base64url of 32 octets; drawn anew for each country.
    """

    kiosk: Kiosk
    secret: Secret[str]

    @classmethod
    def draw(cls) -> Self:
        """Draw the secret."""
        drawn = random_bytes(_SECRET_OCTETS)
        digest = base64url.encode(hashlib.sha256(drawn).digest())
        kiosk = Kiosk(name=NAME, kind=KioskKind.READER, place=PLACE, secret_sha256=digest)
        return cls(kiosk, Secret(base64url.encode(drawn)))
