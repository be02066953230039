"""The settings of the OpenID provider."""

from typing import Annotated

import msgspec


class OpenIDSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For ``reuse_s`` seconds the login of a browser may serve another client without a new answer on the phone.

    The level is then a lower one, and clients of the FAPI profiles never get it. 0: every login is answered by itself.
    """

    reuse_s: Annotated[int, msgspec.Meta(ge=0, le=1800)] = 0
