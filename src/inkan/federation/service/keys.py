"""The provider's ring: the keys that sign ID tokens, access tokens and answers, and the JWKS that names them.

Plan:
    1. Each algorithm has one key that signs: the newest whose time has come. Its kid is its thumbprint (RFC 7638).
    2. A rotation makes a key that is published now and signs later; the one before stays until nothing that it
       signed is valid any more (OIDC Core §10.1.1).
    3. What is published is made once for each change of the ring, as the bytes that go out.

The rows say which keys there are; the key provider holds them. Another process may rotate, so the rows are looked at
again when they change and once a minute.
"""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Final

import msgspec

from inkan.audit import Actor, ActorKind
from inkan.crypto import base64url, jose, jwk
from inkan.crypto.foreign_keys import signing
from inkan.crypto.jose import Algorithm, JWSSignatureWrong, VerifiedJWS
from inkan.crypto.key_providers import KeyExists, KeyPurpose, KeyUnknown
from inkan.crypto.keys import KeySpec, PrivateKey, PublicKey
from inkan.federation.rules import KEY_LEAD, KEY_TAIL, KEYS_LOOK_S, TOKEN_LIMIT
from inkan.federation.service.grants import PROVIDER
from inkan.federation.service.parts import Parts
from inkan.federation.store import keys as store
from inkan.store.database import MOMENT, Step, Wake

TOPIC: Final = "federation:keys"
OPERATOR: Final = Actor(ActorKind.OPERATOR, "openid")
SPECS: Final = {Algorithm.ES256: KeySpec.P256, Algorithm.RS256: KeySpec.RSA2048}
"""ES256 for access tokens and FAPI clients; RS256 because OIDC Core §15.1 asks every provider for it."""


class Published(msgspec.Struct, frozen=True):
    """Bytes as they go out, and their entity tag (RFC 9110 §8.8.3)."""

    body: bytes
    tag: str


class SigningKey(msgspec.Struct, frozen=True):
    """One key of the ring, opened.

    Attributes:
        signs_from: by the instance's time.
        ends_at: from when it is neither published nor believed; None while nobody rotated after it.
    """

    label: str
    alg: Algorithm
    kid: str
    signs_from: datetime
    ends_at: datetime | None
    private: PrivateKey
    public: PublicKey


def publish(value: Any) -> Published:
    """A JSON document as bytes with its tag."""
    body = msgspec.json.encode(value)
    return Published(body, '"' + base64url.encode(hashlib.sha256(body).digest()) + '"')


class Keys:
    """The ring of one instance.

    Attributes:
        on_change: called after the ring changed, for whoever keeps what it published.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._opened: dict[str, tuple[PrivateKey, PublicKey]] = {}
        self._ring: tuple[SigningKey, ...] = ()
        self._by_kid: dict[str, SigningKey] = {}
        self._published = publish({"keys": []})
        self._look_at = float("-inf")
        self._turn = asyncio.Lock()
        self.on_change: list[Callable[[], None]] = []
        parts.db.bus.listen(TOPIC, self._expire)

    # --- signing and verifying -----------------------------------------------------------------------

    async def sign(self, payload: bytes, *, typ: str, alg: Algorithm = Algorithm.ES256) -> str:
        """Return the compact JWS of a payload under the key that signs now.

        Raises:
            SigningRefused: a ``typ`` that is not in :data:`SIGNED_TYPS`.
            KeyBudgetSpent, KeyStoreLocked and their like: the key cannot sign now.
        """
        key = await self.current(alg)
        sign = partial(jose.sign_compact, payload, key.private, alg=alg, typ=typ)
        return await signing(key.private, partial(sign, header={"kid": key.kid}))

    async def verify(
        self, token: str, *, typ: str, algs: tuple[Algorithm, ...] = (Algorithm.ES256,)
    ) -> VerifiedJWS:
        """Return what a key of this ring signed as a token of this type.

        The kid only chooses among our keys; the algorithm is the key's, never the token's.

        Raises:
            JWSTooLarge, JWSMalformed: no such token, or one of another type.
            JWSSignatureWrong: no key of the ring that is published now has signed it.
        """
        jws = jose.parse_compact(token, typ=typ, required=("kid",), limit=TOKEN_LIMIT)
        await self._look()
        key = self._by_kid.get(jws.header["kid"])
        if key is None or key.alg not in algs or not self.is_live(key.kid):
            raise JWSSignatureWrong("no key of this ring")
        return jose.verify_signature(jws, key.public, algs=(key.alg,))

    def is_live(self, kid: str) -> bool:
        """Whether a key is believed now, as far as this process has looked."""
        key = self._by_kid.get(kid)
        return key is not None and (key.ends_at is None or key.ends_at > self._parts.clock.now())

    async def current(self, alg: Algorithm) -> SigningKey:
        """The key that signs by this algorithm now.

        Raises:
            KeyUnknown: the provider does not hold it any more.
        """
        await self._look()
        now = self._parts.clock.now()
        for key in reversed(self._ring):
            if key.alg is alg and key.signs_from <= now and self.is_live(key.kid):
                return key
        raise KeyUnknown(f"no {alg} key signs now")

    async def jwks(self) -> Published:
        """The JWKS (RFC 7517 §5) as bytes."""
        await self._look()
        return self._published

    async def listed(self) -> tuple[SigningKey, ...]:
        """The keys that are published, the oldest first."""
        await self._look()
        return self._ring

    # --- rotating --------------------------------------------------------------------------------------

    async def rotate(self, *, compromised: bool = False, actor: Actor = OPERATOR) -> list[str]:
        """Make a new key of each algorithm and return their kids.

        They are published now and sign in an hour; the keys before end a day after that. With ``compromised`` they
        sign now, and everything that the keys before signed is refused from now on.

        Raises:
            KeyStoreLocked and its like: no key can be made; the ring is as it was.
        """
        await self._look()  # a new instance has nothing to rotate before it has its first keys
        made = []
        for alg in SPECS:
            label, public = await self._generate(alg)
            kid = jwk.thumbprint(public)
            await self._parts.db.transact(
                self._add, label, alg, kid, actor=actor, lead=not compromised, first=False
            )
            made.append(kid)
        await self.refresh()
        return made

    async def refresh(self) -> None:
        """Look at the rows now; makes the first keys of a new instance."""
        self._expire()
        await self._look()

    def _expire(self) -> None:
        self._look_at = float("-inf")

    def _is_aged(self) -> bool:
        return not self._ring or self._parts.clock.monotonic() >= self._look_at

    async def _look(self) -> None:
        if not self._is_aged():
            return
        async with self._turn:
            if not self._is_aged():  # somebody else looked meanwhile
                return
            # Set first: a change that is called out while the rows are read ages them again.
            self._look_at = self._parts.clock.monotonic() + KEYS_LOOK_S
            try:
                await self._load()
            except BaseException:
                self._expire()
                raise

    async def _load(self) -> None:
        rows = await self._parts.db.scan(_live)
        lacking = [alg for alg in SPECS if not any(row.alg == alg for row in rows)]
        for alg in lacking:
            await self._make_first(alg)
        if lacking:
            rows = await self._parts.db.scan(_live)
        self._set(tuple([await self._open(row) for row in rows]))

    async def _make_first(self, alg: Algorithm) -> None:
        label, public = await self._generate(alg, first=True)
        kid = jwk.thumbprint(public)
        await self._parts.db.transact(
            self._add, label, alg, kid, actor=PROVIDER, lead=False, first=True
        )

    async def _generate(self, alg: Algorithm, *, first: bool = False) -> tuple[str, PublicKey]:
        """A fresh key pair under the next label; a first one may be there from a process that died."""
        used = {row.label for row in await self._parts.db.scan(_every)}
        number = 1
        while True:
            label = f"openid-{alg.lower()}-{number}"
            number += 1
            if label in used:
                continue
            try:
                make = partial(self._parts.keys.generate, label, SPECS[alg], {KeyPurpose.OPENID})
                return label, await asyncio.to_thread(make)
            except KeyExists:
                # Made, and never written down: nobody has seen anything that it signed.
                if first:
                    public = await asyncio.to_thread(self._parts.keys.public_key, label)
                    return label, public

    def _add(
        self, label: str, alg: Algorithm, kid: str, *, actor: Actor, lead: bool, first: bool
    ) -> Step[None]:
        """Step: write a key down; those before it end when nothing that they signed is left."""
        if first and any(row.alg == alg for row in (yield store.LIVE.all())):
            return  # another process came first
        moment = yield MOMENT
        event = yield from self._parts.audit.record(
            "federation.key_added", actor=actor, object=label, details={"kid": kid}
        )
        signs_from = moment + KEY_LEAD if lead else moment
        added = yield store.INSERT.run(
            label=label, alg=str(alg), kid=kid, signs_from=signs_from, ends_at=None, event_id=event
        )
        if added and not first:
            ends = signs_from + KEY_TAIL if lead else moment
            yield store.END_OTHERS.run(of_alg=str(alg), but=label, new_ends_at=ends, event=event)
        yield Wake(TOPIC)

    async def _open(self, row: Any) -> SigningKey:
        if row.label not in self._opened:
            private = await asyncio.to_thread(self._parts.keys.signer, row.label, KeyPurpose.OPENID)
            self._opened[row.label] = (private, private.public_key())
        private, public = self._opened[row.label]
        if jwk.thumbprint(public) != row.kid:
            raise KeyUnknown(f"{row.label} is another key than the one of its row")
        return SigningKey(
            label=row.label,
            alg=Algorithm(row.alg),
            kid=row.kid,
            signs_from=row.signs_from,
            ends_at=row.ends_at,
            private=private,
            public=public,
        )

    def _set(self, ring: tuple[SigningKey, ...]) -> None:
        if ring == self._ring:
            return
        self._ring = ring
        self._by_kid = {key.kid: key for key in ring}
        self._published = publish({"keys": [*map(_public, ring)]})
        for heard in self.on_change:
            heard()


def _public(key: SigningKey) -> dict[str, str]:
    return _named(key.public, key.alg, key.kid)


def _named(public: PublicKey, alg: Algorithm, kid: str) -> dict[str, str]:
    return {**jwk.to_jwk(public), "alg": str(alg), "kid": kid, "use": "sig"}


def _live() -> Step[Any]:
    return (yield store.LIVE.all())


def _every() -> Step[Any]:
    return (yield store.ALL.all())
