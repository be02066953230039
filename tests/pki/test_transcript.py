"""Signed transcripts: whoever has the root verifies one offline, and nothing else passes for one."""

import base64
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from inkan.client.transcript import (
    TranscriptUncertified,
    TranscriptUnsigned,
    verify_transcript,
)
from inkan.composition.platform import Platform
from inkan.crypto import base64url, jose
from inkan.crypto.jose import Algorithm, JWSMalformed, JWSSignatureWrong
from inkan.crypto.key_guard import SigningRefused
from inkan.crypto.key_providers import KeyPurpose
from inkan.crypto.path import (
    CertificateExpired,
    CertificatePolicyUnmet,
    CertificateUntrusted,
)
from inkan.kernel.errors import InkanError
from inkan.pki import read_ceremony
from inkan.wire.audit_log import HEAD_TYP
from inkan.wire.ceremony_transcript import TRANSCRIPT_TYP, Transcript, transcript_bytes
from inkan.wire.receipt import RECEIPT_TYP
from support.keyring import ec_key


def said(world: Any, **changes: Any) -> Transcript:
    """What a ceremony of this instance would write down now."""
    held = Transcript(
        kind="found",
        title="Test",
        file_sha256=base64url.encode(bytes(32)),
        held_at=world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        is_rehearsal=False,
        approvals=[],
        made=world.platform.pki.authorities(),
    )
    return msgspec.structs.replace(held, **changes)


@pytest.fixture
async def signed(world: Any) -> str:
    return await world.platform.pki.sign_transcript(said(world))


def verify(world: Any, text: str, *, at: datetime | None = None) -> Transcript:
    return verify_transcript(text, world.platform.pki.anchors(), at=at or world.clock.now())


def with_payload(signed: str, payload: bytes) -> str:
    head, _, signature = signed.split(".")
    return f"{head}.{base64url.encode(payload)}.{signature}"


def chain_of(signed: str) -> dict[str, Any]:
    return {"x5c": jose.parse_compact(signed, typ=TRANSCRIPT_TYP, required=("x5c",)).header["x5c"]}


@pytest.mark.req("HCA-35")
async def test_whoever_has_the_root_verifies_it(world: Any, signed: str) -> None:
    found = verify(world, signed + "\n")
    assert found == said(world)
    assert {line.name for line in found.made} >= {"root", "card", "phone", "audit-head"}


@pytest.mark.parametrize(
    "change", [(b"false", b"true"), (b'"v":1', b'"v":2'), (b'"kind":"found"', b'"kind":"fount"')]
)
async def test_a_changed_byte_is_seen(world: Any, signed: str, change: tuple[bytes, bytes]) -> None:
    payload = transcript_bytes(said(world)).replace(*change, 1)
    with pytest.raises(InkanError) as refused:
        verify(world, with_payload(signed, payload))
    assert refused.value.code in {"jws_signature_wrong", "ceremony_transcript_malformed"}


async def test_each_part_is_under_the_signature(world: Any, signed: str) -> None:
    for part in range(3):
        parts = signed.split(".")
        parts[part] = ("A" if parts[part][10] != "A" else "B").join(
            (parts[part][:10], parts[part][11:])
        )
        with pytest.raises(InkanError):
            verify(world, ".".join(parts))


async def test_a_head_is_no_transcript_and_a_transcript_no_head(world: Any, signed: str) -> None:
    audit = world.platform.audit
    await audit.sequence_once()
    head = await audit.sign_head()
    with pytest.raises(JWSMalformed):
        verify(world, head.jws)
    with pytest.raises(JWSMalformed):
        await audit.verify(kept_head=signed)
    # The same bytes and the same key, under the other name.
    body = jose.parse_compact(signed, typ=TRANSCRIPT_TYP, required=("x5c",)).payload
    with pytest.raises(JWSMalformed):
        verify(world, await audit._signer.sign(body, typ=HEAD_TYP))


async def test_the_logs_front_signs_no_heads_and_the_guard_no_other_kind(world: Any) -> None:
    audit = world.platform.audit
    with pytest.raises(ValueError, match="sequencer"):
        await audit.attest(b"{}", typ=HEAD_TYP)
    for typ in (RECEIPT_TYP, "at+jwt", "JWT"):
        with pytest.raises(SigningRefused):
            await audit.attest(b"{}", typ=typ)
    receipt = world.platform.pki.hierarchy.get("receipt")
    key = world.platform.pki.hierarchy.key_of(receipt, KeyPurpose.RECEIPT)
    with pytest.raises(SigningRefused):
        jose.sign_compact(b"{}", key, alg=Algorithm.ES256, typ=TRANSCRIPT_TYP)


async def test_another_key_beside_the_right_chain(world: Any, signed: str) -> None:
    forged = jose.sign_compact(
        transcript_bytes(said(world)),
        ec_key(1),
        alg=Algorithm.ES256,
        typ=TRANSCRIPT_TYP,
        header=chain_of(signed),
    )
    with pytest.raises(JWSSignatureWrong):
        verify(world, forged)


async def test_another_signer_of_the_same_root(world: Any) -> None:
    """The receipt signer has a chain to the root too, and nothing to say about ceremonies."""
    pki = world.platform.pki
    chain = [base64.b64encode(der).decode() for der in pki.hierarchy.get("receipt").chain[:-1]]
    key = ec_key(1)
    forged = jose.sign_compact(
        transcript_bytes(said(world)),
        key,
        alg=Algorithm.ES256,
        typ=TRANSCRIPT_TYP,
        header={"x5c": chain},
    )
    with pytest.raises(CertificatePolicyUnmet):
        verify(world, forged)


async def test_another_root(world: Any, signed: str) -> None:
    with pytest.raises(CertificateUntrusted):
        verify_transcript(
            signed, [world.platform.pki.hierarchy.certificate("card")], at=world.clock.now()
        )


async def test_after_the_signers_term_nothing_proves_its_age(world: Any, signed: str) -> None:
    with pytest.raises(CertificateExpired):
        verify(world, signed, at=world.clock.now() + timedelta(days=365 * 30))


async def test_a_ceremony_dated_before_its_signer(world: Any) -> None:
    backdated = await world.platform.pki.sign_transcript(
        said(world, held_at="2020-01-01T00:00:00Z")
    )
    with pytest.raises(InkanError) as refused:
        verify(world, backdated)
    assert refused.value.code == "certificate_not_yet_valid"


async def test_the_plain_json_of_before(world: Any) -> None:
    for text in (transcript_bytes(said(world)).decode(), '\n{\n  "v": 1\n}\n'):
        with pytest.raises(TranscriptUnsigned):
            verify(world, text)


async def test_without_a_chain_nobody_vouches_for_it(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform: Platform = world.platform
    monkeypatch.setattr(platform.audit._signer, "chain", tuple)
    bare = await platform.pki.sign_transcript(said(world))
    with pytest.raises(TranscriptUncertified):
        verify(world, bare)


async def test_what_custodians_cannot_read_is_not_founded(world: Any) -> None:
    ceremony = read_ceremony(f'kind = "sign-lists"\ntitle = "{"Inkan"}"\n')
    hidden = msgspec.structs.replace(ceremony, title="Inkan\u202e")
    before = (await world.events()).count("pki.ceremony_held")
    with pytest.raises(InkanError) as refused:
        await world.platform.pki.hold_ceremony(hidden, file=b"x")
    assert refused.value.code == "ceremony_transcript_malformed"
    assert (await world.events()).count("pki.ceremony_held") == before
