"""The long poll: how long a reader waits for a change."""

from typing import Annotated, Final

import msgspec

from inkan.identification.rules import MAX_WAIT_S
from inkan.kernel.errors import Malformed
from inkan.web.exchange import Exchange
from inkan.web.routes import QueryParameter

Wait = Annotated[int, msgspec.Meta(ge=0, le=MAX_WAIT_S)]
WAIT: Final = QueryParameter(name="wait", type=Wait, description="Seconds to wait for a change.")


def long_poll(exchange: Exchange) -> float:
    """Return the seconds that the query asks to wait; 0 without one.

    Raises:
        Malformed: no whole number from 0 to 120.
    """
    text = exchange.query("wait")
    if text is None:
        return 0
    if not text.isascii() or not text.isdigit() or int(text) > MAX_WAIT_S:
        raise Malformed(where="wait", expected=f"whole seconds from 0 to {MAX_WAIT_S}")
    return float(text)
