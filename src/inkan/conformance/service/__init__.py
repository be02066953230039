"""Use cases of the conformance kit: play the platform, the browsers and the phones, and tell what came of it."""

from inkan.conformance.service.authority import KitRoot, p256
from inkan.conformance.service.browser import TestEndpoint, origin_of
from inkan.conformance.service.platform import HostilePlatform, etag
from inkan.conformance.service.plays import EXPECTED, OTHER, Order, Play
from inkan.conformance.service.running import ATTACKS, Run, items_of, signed_report

__all__ = [
    "ATTACKS",
    "EXPECTED",
    "OTHER",
    "HostilePlatform",
    "KitRoot",
    "Order",
    "Play",
    "Run",
    "TestEndpoint",
    "etag",
    "items_of",
    "origin_of",
    "p256",
    "signed_report",
]
