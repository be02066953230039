"""Proofs out of the database hold against signed heads, and against nothing else."""

import json
from collections.abc import Awaitable, Callable
from hashlib import sha256

import pytest

from inkan.audit import Audit, AuditLogBroken, EventNotCovered, EventUnknown, SizeNotCovered, store
from inkan.audit.service.heads import verify_head
from inkan.crypto import base64url
from inkan.crypto.jose import Algorithm, JWSMalformed, JWSSignatureWrong, sign_compact
from inkan.crypto.merkle import ProofRefused, leaf_hash, verify_consistency, verify_inclusion
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import EventID
from inkan.store.database import Database, Step
from inkan.store.query import Query
from inkan.wire.audit_log import details_digest, parse_event
from support.keyring import ec_key

Write = Callable[[int], Awaitable[list[EventID]]]


async def test_every_event_is_proved_under_the_newest_head(audit: Audit, write: Write) -> None:
    ids = await write(70)
    await audit.sequence_once()
    head = await audit.sign_head()
    assert head is not None
    for index, event in enumerate(ids):
        proof = await audit.inclusion(event)
        assert (proof.index, proof.tree_size, proof.head) == (index, 70, head.jws)
        verify_inclusion(
            leaf_hash(proof.event), index=index, size=70, path=proof.path, root=head.root
        )


async def test_a_changed_event_has_no_proof(audit: Audit, write: Write) -> None:
    ids = await write(5)
    await audit.work()
    head = await audit.head()
    proof = await audit.inclusion(ids[2])
    assert head is not None
    changed = proof.event.replace(b"tests.act", b"tests.lie")
    with pytest.raises(ProofRefused):
        verify_inclusion(leaf_hash(changed), index=2, size=5, path=proof.path, root=head.root)


async def test_each_head_continues_every_earlier_one(audit: Audit, write: Write) -> None:
    heads = []
    for count in (1, 30, 1, 1, 40):
        await write(count)
        await audit.sequence_once()
        heads.append(await audit.sign_head())
    kept = [head for head in heads if head]
    assert [head.size for head in kept] == [1, 31, 32, 33, 73]
    for old in kept:
        for new in kept[old.number :]:
            verify_consistency(
                first=old.size,
                second=new.size,
                first_root=old.root,
                second_root=new.root,
                path=await audit.consistency(old.size, new.size),
            )


async def test_heads_are_chained(audit: Audit, write: Write) -> None:
    await write(1)
    await audit.work()
    first = await audit.head()
    await write(1)
    await audit.sequence_once()
    second = await audit.sign_head()
    assert first is not None
    assert second is not None
    assert first.previous == bytes(32)
    assert second.previous == sha256(first.jws.encode()).digest()


async def test_unknown_and_uncovered_events(audit: Audit, database: Database, write: Write) -> None:
    with pytest.raises(EventUnknown):
        await audit.inclusion("ev_nothing")
    [event] = await write(1)
    with pytest.raises(EventNotCovered):
        await audit.inclusion(event)
    await audit.work()
    [later] = await write(1)
    await audit.sequence_once()
    with pytest.raises(EventNotCovered) as refused:
        await audit.inclusion(later)
    assert refused.value.public_facts == {"retry_after_s": 60}


@pytest.mark.parametrize("sizes", [(0, 1), (3, 2), (1, 4), (-1, 2)])
async def test_sizes_outside_the_log(audit: Audit, write: Write, sizes: tuple[int, int]) -> None:
    await write(3)
    await audit.sequence_once()
    with pytest.raises(SizeNotCovered) as refused:
        await audit.consistency(*sizes)
    assert refused.value.public_facts == {"size": 3}


async def test_an_empty_log_has_no_head(audit: Audit) -> None:
    assert await audit.head() is None
    with pytest.raises(SizeNotCovered):
        await audit.consistency(1, 1)


@pytest.mark.parametrize("change", [store.tile.delete(), store.tile.update().values(hashes=b"")])
async def test_a_gap_in_the_stored_tree(
    audit: Audit, database: Database, write: Write, change: object
) -> None:
    ids = await write(3)
    await audit.work()
    damage = Query(change)

    def body() -> Step[None]:
        yield damage.run()

    await database.transact(body)
    with pytest.raises(AuditLogBroken):
        await audit.inclusion(ids[0])


async def test_a_head_is_a_head_under_its_own_key_only(audit: Audit, write: Write) -> None:
    await write(3)
    await audit.work()
    head = await audit.head()
    assert head is not None
    assert verify_head(head.jws, ec_key().public_key()) == head
    with pytest.raises(JWSSignatureWrong):
        verify_head(head.jws, ec_key(1).public_key())


@pytest.mark.parametrize("payload", [b"{}", b"[]", b"", b'{"v":1}'])
def test_another_payload_is_no_head(payload: bytes) -> None:
    jws = sign_compact(payload or b"x", ec_key(), alg=Algorithm.ES256, typ="inkan-audit-head+jws")
    with pytest.raises(InkanError):
        verify_head(jws, ec_key().public_key())


def test_another_type_is_no_head() -> None:
    jws = sign_compact(b"{}", ec_key(), alg=Algorithm.ES256, typ="inkan-receipt+jws")
    with pytest.raises(JWSMalformed):
        verify_head(jws, ec_key().public_key())


async def test_heads_carry_the_chain_that_there_is_when_they_are_signed(
    audit: Audit, database: Database, write: Write
) -> None:
    """None before the ceremony, the signer's chain afterwards; the log holds both and stays intact."""
    chain: list[bytes] = []
    audit.certify_heads(lambda: chain)
    [first] = await write(1)
    await audit.work()
    assert not (await audit.inclusion(first)).is_certified
    chain += [b"signer", b"authority"]
    [second] = await write(1)
    await audit.sequence_once()
    head = await audit.sign_head()
    assert head is not None
    assert verify_head(head.jws, ec_key().public_key()).is_certified
    header = json.loads(base64url.decode(head.jws.split(".")[0]))
    assert header["x5c"] == ["c2lnbmVy", "YXV0aG9yaXR5"]
    for event in (first, second):
        assert (await audit.inclusion(event)).is_certified, "every proof is under the newest head"
    assert (await audit.verify()).is_intact


async def test_the_salt_of_a_proof_opens_the_details(audit: Audit, write: Write) -> None:
    [event] = await write(1)
    await audit.work()
    proof = await audit.inclusion(event)
    leaf = parse_event(proof.event)
    digests = [details_digest(proof.salt, {"number": number}) for number in range(5)]
    assert base64url.decode(leaf.details) in digests


async def test_the_key_of_the_heads_is_the_one_that_signs(audit: Audit, write: Write) -> None:
    await write(1)
    await audit.work()
    head = await audit.head()
    assert head is not None
    assert verify_head(head.jws, audit.head_key) == head
