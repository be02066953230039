"""Messages to addresses that clients registered: logout tokens and security events."""

from collections.abc import Collection, Mapping

from inkan.federation.model.logout import ReceiverResting, ReceiverUndelivered
from inkan.federation.ports import Post
from inkan.kernel.clock import Clock
from inkan.store.outbox.resting import Resting


class Sending:
    """Posts messages; a receiver that fails rests for a while, whatever message it was."""

    def __init__(self, *, post: Post, clock: Clock) -> None:
        self._post = post
        self._resting = Resting(clock, refusal=ReceiverResting)

    async def send(
        self, url: str, *, body: bytes, headers: Mapping[str, str], delivered: Collection[int]
    ) -> None:
        """Post a message; returns when the receiver took it.

        Args:
            url: registered for this.
            body: of the message.
            headers: with its content type.
            delivered: the statuses that say that the receiver took it; a redirect is none and is not followed.

        Raises:
            ReceiverResting: the receiver failed shortly before.
            ReceiverUndelivered: it answered something else.
            TargetRefused, FetchFailed, AnswerRefused: it was not called, or gave no usable answer.
        """

        async def post() -> None:
            heard = await self._post.request("POST", url, body=body, headers=headers)
            if heard.status not in delivered:
                raise ReceiverUndelivered(str(heard.status))

        await self._resting.attempt(url.partition("://")[2].partition("/")[0], post)
