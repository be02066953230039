"""Asking the policy of the signer, as the server does."""

from collections.abc import Awaitable, Callable

import pytest

from inkan.crypto.key_guard import FORMATS, SigningRefused
from inkan.crypto.key_providers import KeyPurpose
from inkan.crypto.to_be_signed import read_to_be_signed
from inkan.pki.service.hierarchy import PublicURLs
from inkan.pki.service.signing_policy import IssuingPolicy
from support.world import PLATFORM, World

Check = Callable[[str, KeyPurpose, bytes], Awaitable[None]]


def policy_of(world: World, *, ceremony: bool = False) -> IssuingPolicy:
    platform = world.platform
    return IssuingPolicy(
        db=platform.db,
        keys=platform.keys,
        clock=world.clock,
        urls=PublicURLs(origin=PLATFORM),
        ceremony=ceremony,
    )


def check_of(world: World, *, ceremony: bool = False) -> Check:
    policy = policy_of(world, ceremony=ceremony)

    async def ask(label: str, purpose: KeyPurpose, message: bytes) -> None:
        read = read_to_be_signed(message, FORMATS[purpose])
        await policy.check_sign(label, purpose, message, read)

    return ask


async def refused(asked: Awaitable[None]) -> str:
    """The rule that is named."""
    with pytest.raises(SigningRefused) as answer:
        await asked
    rule: str = answer.value.facts["rule"]
    return rule
