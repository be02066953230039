"""Reading signed heads, and following their chain."""

import hashlib
from typing import Final

from inkan.audit import store
from inkan.audit.model import NO_HEAD, Head
from inkan.audit.rules import PAGE
from inkan.crypto import base64url, jose
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import PublicKey
from inkan.kernel.errors import InkanError
from inkan.store.database import Step
from inkan.store.plan import Row
from inkan.wire.audit_log import HEAD_TYP, parse_head
from inkan.wire.forms import parse_moment

CHAIN: Final = "x5c"
"""The header member with the signer's chain (RFC 7515 §4.1.6)."""


def verify_head(jws: str, key: PublicKey) -> Head:
    """Return the head that ``key`` signed.

    Raises:
        JWSMalformed, JWSTooLarge, JWSSignatureWrong: not a head under this key.
        NotCanonical, AuditHeadMalformed: signed, but not of the form of a head.
    """
    head = _parsed(jws)
    jose.verify_signature(head, key, algs={Algorithm.ES256})
    return _head(head, jws)


def head_of(jws: str) -> Head:
    """Return the head of a compact JWS that this instance stored itself; its signature is not checked.

    Raises:
        JWSMalformed, JWSTooLarge, NotCanonical, AuditHeadMalformed: it has not the form of a head.
    """
    return _head(_parsed(jws), jws)


def hash_of(jws: str) -> bytes:
    """What the next head names as its ``previous``."""
    return hashlib.sha256(jws.encode()).digest()


class HeadChain:
    """The chain of heads while events go by; ``waiting`` is the next head, until its size is reached."""

    def __init__(self, key: PublicKey) -> None:
        self._key = key
        self._page: list[Row] = []
        self.waiting: Head | None = None
        self.last: Head | None = None
        self.count = 0
        self.hash = NO_HEAD
        self.is_broken = False

    @property
    def size(self) -> int:
        """Events under the heads that held."""
        return self.last.size if self.last else 0

    def read(self) -> Step[Row | None]:
        """Step: the next row in the order of numbers, None at the end."""
        if not self._page:
            self._page = (yield store.HEADS.all(first=self.count, count=PAGE))[::-1]
        return self._page.pop() if self._page else None

    def expect(self, row: Row) -> str | None:
        """Let a head wait for its size; what is wrong with it, if anything is."""
        if row.number != self.count:
            return f"the head is missing; the next number found is {row.number}"
        try:
            head = verify_head(row.jws, self._key)
        except (InkanError, TypeError, ValueError, AttributeError):
            return "the head was changed, or signed by another key"
        if (head.number, head.size) != (row.number, row.size):
            return "the head's columns are not what was signed"
        if head.previous != self.hash:
            return "the head does not follow the one before it"
        if self.last and not (self.last.size < head.size and self.last.at <= head.at):
            return "the head goes back in size or time"
        self.waiting = head
        return None

    def accept(self, head: Head) -> None:
        """The tree had this head's root at its size."""
        self.waiting, self.last = None, head
        self.count += 1
        self.hash = hash_of(head.jws)

    def stop(self) -> None:
        """Look at no further head."""
        self.waiting = None
        self.is_broken = True


def _parsed(jws: str) -> jose.UnverifiedJWS:
    return jose.parse_compact(jws, typ=HEAD_TYP, optional=(CHAIN,))


def _head(token: jose.UnverifiedJWS, jws: str) -> Head:
    fields = parse_head(token.payload)
    return Head(
        number=fields.number,
        size=fields.size,
        root=base64url.decode(fields.root, size=32),
        at=parse_moment(fields.at),
        previous=base64url.decode(fields.previous, size=32),
        jws=jws,
        is_certified=CHAIN in token.header,
    )
