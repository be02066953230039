"""What the enrolment page asks for while it waits: the states as they come, and the code as text for a camera.

The camera name is made of the request's secret hash: who has it may see the code, as on the screen, and go on with
nothing. The request is found by its id inside the name, so nothing is kept for it.
"""

import hashlib
import hmac
from collections.abc import AsyncIterator

from inkan.crypto import base64url
from inkan.enrolment.model import EnrolmentNotFound, Request, RequestState
from inkan.enrolment.service import requests
from inkan.enrolment.service.parts import Parts, topic

REREAD_S = 10.0
OVER = frozenset({RequestState.ISSUED, RequestState.REFUSED, RequestState.EXPIRED})
_LABEL = b"inkan-enrolment-camera-v1\x00"


async def states(parts: Parts, request_id: str, *, secret: bytes) -> AsyncIterator[RequestState]:
    """The state of a request, now and after every change, until it is over.

    Raises:
        EnrolmentNotFound: unknown, or another page's.
    """
    known: RequestState | None = None
    async with parts.db.bus.subscribe(topic(request_id)) as calls:
        while True:
            request = await parts.db.read(requests.for_desk, request_id, secret)
            now = parts.db.now()
            state = requests.state_at(request, now)
            if state is not known:
                yield state
            known = state
            if state in OVER:
                return
            # Its time ends by itself, and nobody calls then.
            left = (request.expires_at - now).total_seconds()
            await calls.wait(timeout_s=min(REREAD_S, left) if left > 0 else REREAD_S)


def camera_name(request: Request) -> str:
    """The name under which the code of this request can be read as text."""
    digest = hashlib.sha256(_LABEL + request.secret_sha256).digest()
    return f"{request.id}.{base64url.encode(digest)}"


async def seen_by_camera(parts: Parts, name: str) -> Request:
    """The request whose code may be read under this name.

    Raises:
        EnrolmentNotFound: no request has this name.
    """
    request = await parts.db.read(requests.get, name.partition(".")[0])
    if not hmac.compare_digest(camera_name(request).encode(), name.encode()):
        raise EnrolmentNotFound()
    return request
