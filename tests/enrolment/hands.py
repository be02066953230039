"""Phones and cards whose every byte is in the test's hand: no honest client would send what they send."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from inkan.client import StartedEnrolment
from inkan.client.authenticator import (
    Attestation,
    AuthenticatorState,
    CreationOptions,
    SoftwareAuthenticator,
)
from inkan.client.certificate_keys import certificate_request
from inkan.client.exchange import CallRefused
from inkan.client.phone_api import PhoneAPI
from inkan.crypto import base64url, cms, jcs
from inkan.crypto.keys import PrivateKey, spki_der
from inkan.kernel.identifiers import parse_national_id
from inkan.kernel.ids import random_bytes
from inkan.people import Person, new_identity
from inkan.pki import CertificateOrder, IssuedCertificate, SubjectName
from inkan.store.query import Query
from inkan.wire import enrolment_request as wire
from inkan.wire.shown import Language
from support.keyring import ec_key, rsa_key
from support.world import CITIZENS, CLERK, PLATFORM, WALLET, World

BIND = wire.CONTENT_TYPES[wire.Purpose.BIND]
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def refusal(call: Awaitable[Any]) -> str:
    """The platform's code for a call that must be refused."""
    with pytest.raises(CallRefused) as caught:
        await call
    return caught.value.problem_code


@dataclass(frozen=True)
class RawCard:
    """A card's key and certificate; signs whatever it is given."""

    key: PrivateKey
    der: bytes
    chain: tuple[bytes, ...]
    certificate: IssuedCertificate | None = None
    person: Person | None = None

    def sign(self, content: bytes, *, content_type: str = BIND) -> bytes:
        return cms.build_signed_data(
            content,
            content_type=content_type,
            chain=[self.der, *self.chain],
            algorithm=cms.algorithm_of(self.key),
            sign=cms.key_signer(self.key),
        )


async def person_of(world: World, name: str = "chen") -> Person:
    """A citizen of the world, registered and without a card."""
    shown, born, number = CITIZENS[name]
    identity = new_identity(name=shown, birth_date=born, national_id=parse_national_id(number))
    return await world.platform.people.register(identity, actor=CLERK)


async def raw_card(
    world: World,
    name: str = "chen",
    *,
    profile: str = "card-sign",
    number: int = 50,
    serial: str | None = None,
    not_after: datetime | None = None,
    binding: bytes | None = None,
) -> RawCard:
    """A certificate of any profile for a key that the test holds."""
    person = await person_of(world, name)
    key = rsa_key(number)
    issued = await world.platform.pki.issue(
        CertificateOrder(
            order_key=f"raw:{name}:{profile}:{number}",
            profile=profile,
            owner=f"{person.id}:{number}"[:40],
            subject=SubjectName(
                common_name=(
                    await world.platform.db.read(world.platform.people.get_identity, person.id)
                ).name,
                serial_number=serial or person.subject_serial,
            ),
            spki=spki_der(key.public_key()),
            not_after=not_after or world.clock.now().replace(microsecond=0) + timedelta(days=300),
            binding=binding,
        )
    )
    return RawCard(key, issued.der, issued.chain, issued, person)


@dataclass
class RawPhone:
    """A phone that makes its own requests; ``keys`` are its certificate keys by use."""

    world: World
    number: int = 10
    name: str = "raw phone"
    channel: Any = None
    keys: dict[str, PrivateKey] = field(default_factory=dict)
    joined: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.channel = self.channel or ec_key(self.number)
        self.keys = self.keys or {"auth": rsa_key(self.number), "sign": rsa_key(self.number + 1)}
        self.authenticator = SoftwareAuthenticator(
            AuthenticatorState(), verify_user=lambda _: True, attestation=Attestation.SELF
        )
        self.api = PhoneAPI(
            PLATFORM,
            self.channel,
            lang=Language.EN,
            ahead_s=0,
            transport=self.world.transport,
            clock=self.world.clock,
        )

    async def join(self, frame: str, **members: Any) -> dict[str, Any]:
        body = {"frame": frame, "name": self.name, "back_end": "A"} | members
        self.joined = await self.api.post("/phone/v1/enrolments", body, dict)
        return self.joined

    def csrs(self) -> dict[str, str]:
        return {use: base64url.encode(certificate_request(key)) for use, key in self.keys.items()}

    def registration(
        self,
        *,
        challenge: bytes | None = None,
        origin: str = WALLET,
        rp_id: str = "wallet.localhost",
        uv: bool = True,
    ) -> dict[str, str]:
        authenticator = SoftwareAuthenticator(
            self.authenticator.state, verify_user=lambda _: uv, attestation=Attestation.SELF
        )
        made = authenticator.create(
            CreationOptions(
                rp_id=rp_id,
                challenge=challenge or base64url.decode(self.joined["challenge"]),
                user_handle=random_bytes(32),
                user_verification=False,
            ),
            origin=origin,
        )
        return {
            "credential_id": base64url.encode(made.credential_id),
            "client_data_json": base64url.encode(made.client_data_json),
            "attestation_object": base64url.encode(made.attestation_object),
        }

    async def hand_in(self, **members: Any) -> dict[str, Any]:
        body = {"csrs": self.csrs()} | members
        body.setdefault("registration", None)
        if body["registration"] is None:
            body["registration"] = self.registration()
        path = f"/phone/v1/enrolments/{self.joined['id']}/csr"
        answer: dict[str, Any] = await self.api.post(path, body, dict)
        return answer


async def prepared(world: World, number: int = 10) -> tuple[StartedEnrolment, bytes, RawPhone]:
    """An enrolment up to the card: what it is about to sign, and the phone."""
    started = await world.start()
    phone = RawPhone(world, number)
    await phone.join(await started.frame())
    await phone.hand_in()
    return started, (await started.to_sign()).content, phone


def changed(content: bytes, **members: Any) -> bytes:
    """The canonical content with other members."""
    return jcs.canonical(jcs.parse_canonical(content, limit=8192) | members)


async def rows(world: World, table: sa.Table, **where: Any) -> list[Any]:
    """The rows of a table, to see what is really stored."""
    query = Query(
        sa.select(table).where(*(table.c[name] == value for name, value in where.items()))
    )

    def body() -> Any:
        return (yield query.all())

    found: list[Any] = await world.platform.db.scan(body)
    return found


async def footprint(world: World) -> Mapping[str, int]:
    """How many phones, slots and certificates there are: what a refusal must not change."""
    from inkan.enrolment import store
    from inkan.pki import store as pki_store

    tables = (store.phone, store.slot, pki_store.certificate)
    return {table.name: len(await rows(world, table)) for table in tables}


async def revoke_card(world: World, card: Any, reason: Any) -> None:
    """End a card certificate and let everybody hear of it."""
    platform = world.platform
    await platform.db.transact(platform.pki.revoke, card.certificate.id, reason=reason, actor=CLERK)
