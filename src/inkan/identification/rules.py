"""What a session may ask, how long it lives, and which level each kind demands."""

from datetime import timedelta

from inkan.wire.binding import BindingLevel, Door
from inkan.wire.session import SessionState

# Design §5.5: `binding_min` by kind, unless the request or an internal system says otherwise.
BINDING_MIN = {"identify": BindingLevel.NONE, "approve": BindingLevel.MATCHED}

# Levels that only a system registered for internal use may set below the default (DOC-02).
INTERNAL_ONLY = frozenset({("approve", BindingLevel.NONE)})

# The doors that this instance serves; a further door is a further row.
DOORS_SERVED = frozenset({Door.QR})

# Design §5.4, TW-45: how long a door may be open.
DOOR_LIFE = {Door.QR: timedelta(seconds=180)}

# Design §5.5: an Idempotency-Key holds its answer for a day, and so long the session is readable.
IDEMPOTENCY_LIFE = timedelta(hours=24)
READABLE = timedelta(hours=24)
MAX_WAIT_S = 120

FINAL = frozenset({SessionState.CLOSED, SessionState.CANCELLED, SessionState.EXPIRED})
