"""The two documents of an application, and what the seal goes across (TW-62).

Each is canonical JSON (RFC 8785); its SHA-256 is its digest, and the printed page is a rendering of the very same
object. A document is a function of the application alone, so that anybody who holds the application makes the same
bytes again.
"""

import hashlib
from typing import Any

import msgspec

from inkan.crypto import base64url, jcs
from inkan.relying_parties.model.application import Application, ApplicationIncomplete, WantedSystem
from inkan.relying_parties.rules import consents

FORM_TYPE = "inkan-application-form"
CONSENT_TYPE = "inkan-application-consent"
SEAL_TYPE = "inkan-application-seal"


def form(application: Application, *, issuer: str) -> dict[str, Any]:
    """The application form: who applies, for which systems, doors and purposes, and whom to ask."""
    draft = application.draft
    return {
        "v": 1,
        "type": FORM_TYPE,
        "platform": issuer,
        "application": application.id,
        "scheme": draft.scheme,
        "organisation": msgspec.to_builtins(draft.organisation),
        "systems": [_system(each) for each in draft.systems],
        "contacts": msgspec.to_builtins(draft.contacts),
    }


def _system(system: WantedSystem) -> dict[str, Any]:
    """A system as the form says it; one that is no client has no word about that, as in forms that were sealed before."""
    said: dict[str, Any] = msgspec.to_builtins(system)
    if said["openid"] is None:
        del said["openid"]
    return said


def consent(application: Application, *, issuer: str) -> dict[str, Any]:
    """The consent form: the organisation, and the text that it consents to, whole.

    Raises:
        ApplicationIncomplete: no organisation, or an edition of the text that there is not.
    """
    organisation, edition = application.draft.organisation, application.draft.consent
    if organisation is None:
        raise ApplicationIncomplete(where="/organisation", expected="an organisation")
    if edition not in consents():
        raise ApplicationIncomplete(where="/consent", expected="an edition of the consent text")
    return {
        "v": 1,
        "type": CONSENT_TYPE,
        "platform": issuer,
        "application": application.id,
        "organisation": {
            "code": organisation.code,
            "name": organisation.name,
            "number": organisation.number,
        },
        "edition": edition,
        "text": consents()[edition].text,
    }


def digests(application: Application, *, issuer: str) -> tuple[str, str]:
    """SHA-256 of both documents as they would be made now, base64url.

    Raises:
        ApplicationIncomplete: see :func:`consent`.
    """
    return (
        digest_of(jcs.canonical(form(application, issuer=issuer))),
        digest_of(jcs.canonical(consent(application, issuer=issuer))),
    )


def seal_content(application: Application) -> bytes:
    """What the organisation seals: one object over the digests of both documents, so that neither can be exchanged.

    Raises:
        ApplicationIncomplete: the documents are not made yet.
    """
    if not application.form_sha256:
        raise ApplicationIncomplete(where="", expected="documents that are complete")
    return jcs.canonical(
        {
            "v": 1,
            "type": SEAL_TYPE,
            "application": application.id,
            "form_sha256": application.form_sha256,
            "consent_sha256": application.consent_sha256,
        }
    )


def digest_of(data: bytes) -> str:
    """SHA-256 as base64url."""
    return base64url.encode(hashlib.sha256(data).digest())
