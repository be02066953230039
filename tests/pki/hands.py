"""Orders, register rows and questions for tests of the authorities."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from inkan.crypto.certificates import Certificate, parse_certificate
from inkan.crypto.keys import spki_der
from inkan.crypto.ocsp import build_request
from inkan.crypto.ocsp_response import VerifiedOCSP, verify_response
from inkan.crypto.phone_binding import PhoneBinding, encode_phone_binding
from inkan.kernel.sensitive import Personal
from inkan.pki import CertificateOrder, IssuedCertificate, RevocationReason, SubjectName, store
from inkan.store.query import Query
from support.keyring import rsa_key
from support.world import CLERK, PLATFORM, World

BINDING = encode_phone_binding(PhoneBinding(bytes(range(32)), "phn_0123456789"))
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def order(world: World, number: int = 0, **bent: Any) -> CertificateOrder:
    """An order of a card's signature certificate, or of anything else."""
    profile = bent.get("profile", "card-sign")
    return CertificateOrder(
        **{
            "order_key": f"order:{number}",
            "profile": profile,
            "owner": f"owner-{number}",
            "subject": SubjectName(
                common_name=Personal("陳怡君"), serial_number="1234567890123456"
            ),
            "spki": spki_der(rsa_key(number).public_key()),
            "not_after": world.clock.now().replace(microsecond=0) + timedelta(days=300),
            "binding": BINDING if profile.startswith("phone") else None,
        }
        | bent
    )


async def issue(world: World, number: int = 0, **bent: Any) -> IssuedCertificate:
    return await world.platform.pki.issue(order(world, number, **bent))


async def rows(world: World, table: sa.Table, **where: Any) -> list[Any]:
    query = Query(
        sa.select(table).where(*(table.c[name] == value for name, value in where.items()))
    )

    def body() -> Any:
        return (yield query.all())

    found: list[Any] = await world.platform.db.scan(body)
    return found


async def state_of(world: World, order_key: str) -> str:
    (row,) = await rows(world, store.certificate, order_key=order_key)
    state: str = row.state
    return state


async def revoke(
    world: World,
    issued: IssuedCertificate,
    reason: RevocationReason = RevocationReason.KEY_COMPROMISE,
) -> bool:
    platform = world.platform
    return await platform.db.transact(platform.pki.revoke, issued.id, reason=reason, actor=CLERK)


async def suspend(world: World, issued: IssuedCertificate) -> bool:
    return await world.platform.db.transact(world.platform.pki.suspend, issued.id, actor=CLERK)


async def reinstate(world: World, issued: IssuedCertificate) -> bool:
    return await world.platform.db.transact(world.platform.pki.reinstate, issued.id, actor=CLERK)


def authority(world: World, name: str) -> Certificate:
    return parse_certificate(world.platform.pki.hierarchy.get(name).certificate)


async def fetch(
    world: World, path: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """What third parties fetch, over HTTP."""
    transport = httpx.ASGITransport(app=world.instance.application)
    async with httpx.AsyncClient(transport=transport, base_url=PLATFORM) as web:
        method = "GET" if body is None else "POST"
        return await web.request(method, path, content=body, headers=headers)


def question(world: World, issued: IssuedCertificate, **options: Any) -> bytes:
    return build_request(
        parse_certificate(issued.der), authority(world, issued.authority), **options
    )


async def ask(world: World, issued: IssuedCertificate, **options: Any) -> bytes:
    """The DER answer to an OCSP question by POST."""
    answer = await fetch(
        world,
        f"/ocsp/{issued.authority}",
        body=question(world, issued, **options),
        headers={"content-type": "application/ocsp-request"},
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/ocsp-response"
    return answer.content


def read(world: World, issued: IssuedCertificate, der: bytes, **options: Any) -> VerifiedOCSP:
    return verify_response(
        der,
        certificate=parse_certificate(issued.der),
        issuer=authority(world, issued.authority),
        at=world.clock.now(),
        **options,
    )
