"""A conversation carried by hand: what it wishes, and what it makes of the replies."""

from typing import Any

from inkan.kernel.errors import InkanError


def play(conversation: Any, replies: list[Any]) -> tuple[list[Any], Any]:
    """Give the replies one by one (an exception is thrown in); returns the wishes and the result or the refusal."""
    wishes: list[Any] = []
    resume: Any = lambda: conversation.send(None)  # noqa: E731
    for reply in [*replies, None]:
        try:
            wishes.append(resume())
        except StopIteration as end:
            return wishes, end.value
        except InkanError as refusal:
            return wishes, refusal
        resume = (
            (lambda reply=reply: conversation.throw(reply))
            if isinstance(reply, Exception)
            else (lambda reply=reply: conversation.send(reply))
        )
    return wishes, None
