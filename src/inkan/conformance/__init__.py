"""The conformance kit: a hostile platform with hostile browsers and phones, played against a relying party's test endpoint.

    platform = HostilePlatform(issuer, KitRoot.kept(folder, clock), clock, domain="test.agency.example")
    async with Server(application(platform), port=8499).running():
        findings = await Run(platform, TestEndpoint(url, transport)).all()

The relying party under test is configured for the kit's platform and offers five addresses (``rules.PATHS``); what
each attack does is a row of ``rules.ROWS``. Start with :class:`Run`; the words for people are in
``docs/relying-parties/conformance.md``.
"""

from inkan.conformance.model import EndpointWrong, Finding, Item, ReportKeyWrong
from inkan.conformance.rules import KIT_VERSION, ROWS
from inkan.conformance.service import HostilePlatform, KitRoot, Run, TestEndpoint, signed_report

__all__ = [
    "KIT_VERSION",
    "ROWS",
    "EndpointWrong",
    "Finding",
    "HostilePlatform",
    "Item",
    "KitRoot",
    "ReportKeyWrong",
    "Run",
    "TestEndpoint",
    "signed_report",
]
