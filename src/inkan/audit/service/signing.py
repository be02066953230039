"""The log's own key at work: heads, and statements that the instance makes in the name of its log.

Both carry the chain of the key once a ceremony has certified it. What kind of statement it is stands in ``typ``, under
the signature, so that none is ever taken for another (RFC 8725 §3.11).
"""

import base64
from collections.abc import Callable, Sequence
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)

from inkan.audit.service.heads import CHAIN
from inkan.crypto import jose
from inkan.crypto.foreign_keys import signing
from inkan.crypto.jose import Algorithm


class LogSigner:
    """The P-256 key of the log, and the chain that certifies it.

    Attributes:
        chain: asked for each signature: DER of the key's certificate and its issuers without the root, or nothing.
    """

    def __init__(self, key: EllipticCurvePrivateKey) -> None:
        """Sign with ``key``, of purpose ``audit_head``."""
        self._key = key
        self.chain: Callable[[], Sequence[bytes]] = tuple

    @property
    def public_key(self) -> EllipticCurvePublicKey:
        """What a ceremony certifies."""
        return self._key.public_key()

    async def sign(self, payload: bytes, *, typ: str) -> str:
        """Return the compact JWS (ES256) of ``payload``, with the chain in ``x5c`` where there is one.

        Raises:
            SigningRefused: the guard before the key admits no such ``typ``.
        """
        sign = partial(
            jose.sign_compact,
            payload,
            self._key,
            alg=Algorithm.ES256,
            typ=typ,
            header=_certified(self.chain()),
        )
        return await signing(self._key, sign)


def _certified(chain: Sequence[bytes]) -> dict[str, list[str]]:
    """The header member of a chain: standard base64 of DER, the signer's first; none without a chain."""
    return {CHAIN: [base64.b64encode(der).decode() for der in chain]} if chain else {}
