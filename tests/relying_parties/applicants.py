"""Organisations that apply, their seals, the officers who review them, and reports of the conformance kit."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
from asn1crypto import cms as asn1_cms

from accounts.staff import Device, accept, code_of, invite
from inkan.accounts import Accounts, Login, LoginToken, Role
from inkan.crypto import jose, jwk, oids
from inkan.crypto.cms import algorithm_of, build_signed_data, key_signer
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import KeySpec, generate, spki_der
from inkan.kernel.clock import rfc3339
from inkan.kernel.sensitive import Personal
from inkan.pki import CertificateOrder, IssuedCertificate, SubjectName
from inkan.relying_parties import Applications, Draft
from inkan.relying_parties.model.application import Application
from inkan.relying_parties.service import documents
from inkan.wire.conformance_report import REPORT_TYP
from support.authenticator import Authenticator
from support.world import PLATFORM, PURPOSES, World

SEAL_AUTHORITY = """
[[issuing]]
name = "seal"
common_name = "Inkan Test Organisation CA"
profiles = ["seal"]
"""
NUMBER = "04595257"  # the check digit fits, and nobody is meant
OTHER_NUMBER = "22099131"
NAMES = {"en": "National Tax Bureau", "ja": "国税局", "zh-Hant": "國稅局"}
PRODUCTION = "https://id.example"


def system_of(code: str = "tax-office", **bent: Any) -> dict[str, Any]:
    key = generate(KeySpec.P256)
    return {
        "code": code,
        "name": "Tax Office",
        "domain": "tax.example",
        "doors": ["qr", "redirect"],
        "purposes": PURPOSES,
        "keys": [jwk.to_jwk(key.public_key())],
        "return_urls": ["https://tax.example/return"],
        "webhooks": [{"id": "main", "url": "https://tax.example/hook"}],
        **bent,
    }


def draft_of(*codes: str, **bent: Any) -> Draft:
    """A whole draft with these systems."""
    organisation = {
        "code": "tax-bureau",
        "name": NAMES,
        "number": NUMBER,
        "sector": "government",
        **bent.pop("organisation", {}),
    }
    contact = {"role": "technical", "name": "陳美", "mail": "chen@tax.example"}
    whole = {
        "organisation": organisation,
        "systems": [system_of(code) for code in codes or ("tax-office",)],
        "contacts": [contact],
        "consent": "1.0",
        **bent,
    }
    return msgspec.convert(whole, Draft)


async def hire_token(accounts: Accounts, *roles: Role, name: str, **more: Any) -> LoginToken:
    """Somebody with an account of the instance at ``PLATFORM``, a passkey and a login."""
    device = Device(name)
    device.authenticator = Authenticator(
        rp_id="id.localhost", origin=PLATFORM, credential_id=device.authenticator.credential_id
    )
    invitation = await invite(accounts, *roles, name=name, **more)
    return await accept(accounts, code_of(invitation), device)


async def hire(accounts: Accounts, *roles: Role, name: str, **more: Any) -> Login:
    """The login of somebody new."""
    return (await hire_token(accounts, *roles, name=name, **more)).login


@dataclass(frozen=True)
class SealHolder:
    """An organisation's seal: a key and its certificate."""

    key: Any
    certificate: IssuedCertificate

    def sign(self, content: bytes, **bent: Any) -> bytes:
        """A detached CMS over the content."""
        made = build_signed_data(
            content,
            **{
                "content_type": oids.CONTENT_SEAL,
                "chain": [self.certificate.der, *self.certificate.chain[:-1]],
                "algorithm": algorithm_of(self.key),
                "sign": key_signer(self.key),
                **bent,
            },
        )
        return detach(made)


def detach(enclosed: bytes) -> bytes:
    """The same message without its content."""
    info = asn1_cms.ContentInfo.load(enclosed)
    signed = info["content"]
    bare = asn1_cms.SignedData(
        {
            **{n: signed[n] for n in ("version", "digest_algorithms", "certificates")},
            "signer_infos": signed["signer_infos"],
            "encap_content_info": {
                "content_type": signed["encap_content_info"]["content_type"].dotted
            },
        }
    )
    whole: bytes = asn1_cms.ContentInfo({"content_type": "signed_data", "content": bare}).dump()
    return whole


async def seal_for(world: World, **bent: Any) -> SealHolder:
    """A seal of the tax bureau; another name, number, country or profile by keyword."""
    key = generate(KeySpec.P256)
    subject = SubjectName(
        common_name=Personal(bent.get("name", NAMES["zh-Hant"])),
        serial_number=bent.get("number", NUMBER),
        country=bent.get("country", "TW"),
    )
    order = CertificateOrder(
        order_key=f"seal:{id(key)}",
        profile=bent.get("profile", "seal"),
        owner=f"org-{id(key)}",
        subject=subject,
        spki=spki_der(key.public_key()),
        not_after=world.clock.now().replace(microsecond=0) + timedelta(days=300),
    )
    return SealHolder(key, await world.platform.pki.issue(order))


@dataclass
class Office:
    """An instance with an applicant and officers.

    Attributes:
        developer: begins and seals the application.
        first, second: officers for relying parties.
    """

    world: World
    developer: Login
    first: Login
    second: Login
    seals: list[SealHolder] = field(default_factory=list)

    @property
    def applications(self) -> Applications:
        return self.world.platform.applications

    @classmethod
    async def opened(cls, world: World) -> "Office":
        accounts = world.platform.accounts
        developer = await hire(accounts, Role.DEVELOPER, name="developer")
        first = await hire(accounts, Role.RP_OFFICER, name="first")
        second = await hire(accounts, Role.RP_OFFICER, name="second")
        return cls(world, developer, first, second)

    async def drafted(self, *codes: str, by: Login | None = None, **bent: Any) -> Application:
        """A draft that is whole and not completed."""
        by = by or self.developer
        begun = await self.applications.begin(by=by)
        return await self.applications.edit(
            begun.id, draft_of(*codes, **bent), by=by, seen=begun.version
        )

    async def completed(self, *codes: str, by: Login | None = None, **bent: Any) -> Application:
        by = by or self.developer
        drafted = await self.drafted(*codes, by=by, **bent)
        return await self.applications.complete(drafted.id, by=by, seen=drafted.version)

    async def sealed(self, application: Application, p7s: bytes | None = None) -> Application:
        if p7s is None:
            holder = await seal_for(self.world)
            self.seals.append(holder)
            p7s = holder.sign(documents.seal_content(application))
        return await self.applications.seal(
            application.id, p7s, by=self.developer, seen=application.version
        )

    async def submitted(self, *codes: str, **bent: Any) -> Application:
        sealed = await self.sealed(await self.completed(*codes, **bent))
        return await self.applications.submit(sealed.id, by=self.developer, seen=sealed.version)

    async def approved(self, *codes: str, **bent: Any) -> Application:
        application = await self.submitted(*codes, **bent)
        proposal = await self.applications.propose(
            application.id, reason="complete", by=self.first, seen=application.version
        )
        await self.applications.approve(proposal.id, by=self.second, seen=proposal.version)
        return await self.applications.application(application.id, by=self.developer)

    def report(
        self, code: str = "tax-office", *, key: Any = None, typ: str = REPORT_TYP, **bent: Any
    ) -> str:
        """A report as the conformance kit of this instance signs it."""
        from inkan.composition.keys import signer
        from inkan.crypto.key_providers import KeyPurpose

        own = signer(self.world.platform.keys, "conformance", KeyPurpose.CONFORMANCE)
        claims = {
            "system": code,
            "kit_version": "1.0",
            "passed": True,
            "at": rfc3339(self.world.clock.now().replace(microsecond=0)),
            "items": [{"id": "replayed_return_code", "passed": True, "detail": None}],
            "v": 1,
            **bent,
        }
        payload = msgspec.json.encode(claims, order="sorted")
        return jose.sign_compact(payload, key or own, alg=Algorithm.ES256, typ=typ)
