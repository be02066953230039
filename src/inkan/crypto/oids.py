"""Every object identifier that Inkan gave away, in one table, as dotted text.

The arc hangs under the enterprise number for documentation (RFC 5612) until the project has one of its own: arcs
under 2.25 (UUIDs) need no registry, but carry a number of 128 bits, which the linter and other decoders refuse. See
docs/decisions/0005-object-identifiers.md. Within the arc a number is never used again for something else.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ARC: Final = "1.3.6.1.4.1.32473.1985"

POLICY_CARD_AUTH: Final = f"{ARC}.1.1"
POLICY_CARD_SIGN: Final = f"{ARC}.1.2"
POLICY_PHONE_AUTH: Final = f"{ARC}.1.3"
POLICY_PHONE_SIGN: Final = f"{ARC}.1.4"
POLICY_RECEIPT: Final = f"{ARC}.1.5"
POLICY_AUDIT_HEAD: Final = f"{ARC}.1.6"
POLICY_BRIDGE: Final = f"{ARC}.1.7"
POLICY_SEAL: Final = f"{ARC}.1.8"
POLICY_WINDOW: Final = f"{ARC}.1.9"
POLICY_TLS_CLIENT: Final = f"{ARC}.1.10"
POLICY_PHONE_KEYS_REMOTE: Final = f"{ARC}.1.11"
POLICY_TIME_STAMPING: Final = f"{ARC}.1.16"
ANY_POLICY: Final = "2.5.29.32.0"

PHONE_BINDING: Final = f"{ARC}.2.1"

CONTENT_BIND: Final = f"{ARC}.3.1"
CONTENT_RENEW: Final = f"{ARC}.3.2"
CONTENT_REVOKE: Final = f"{ARC}.3.3"
CONTENT_WINDOW: Final = f"{ARC}.3.4"
CONTENT_CEREMONY: Final = f"{ARC}.3.5"
CONTENT_SEAL: Final = f"{ARC}.3.6"
CONTENT_CARD_LOGIN: Final = f"{ARC}.3.7"
CONTENT_CARD_REVOKE: Final = f"{ARC}.3.8"
CONTENT_SUBMISSION: Final = f"{ARC}.3.9"

TIMESTAMP_POLICY: Final = f"{ARC}.4.1"

# Certificate policies (RFC 5280 §4.2.1.4) by the names that profiles and schemes use.
POLICIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "card_auth": POLICY_CARD_AUTH,
        "card_sign": POLICY_CARD_SIGN,
        "phone_auth": POLICY_PHONE_AUTH,
        "phone_sign": POLICY_PHONE_SIGN,
        "phone_keys_remote": POLICY_PHONE_KEYS_REMOTE,
        "receipt": POLICY_RECEIPT,
        "audit_head": POLICY_AUDIT_HEAD,
        "bridge": POLICY_BRIDGE,
        "seal": POLICY_SEAL,
        "window": POLICY_WINDOW,
        "tls_client": POLICY_TLS_CLIENT,
        "time_stamping": POLICY_TIME_STAMPING,
        "any_policy": ANY_POLICY,
    }
)

# What each one means, for the manual and for whoever finds one in a certificate.
MEANINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        POLICY_CARD_AUTH: "certificate policy: authentication with an IC card handed out at a counter",
        POLICY_CARD_SIGN: "certificate policy: signatures with an IC card handed out at a counter",
        POLICY_PHONE_AUTH: "certificate policy: statements of kind identify and approve by a phone bound with a card",
        POLICY_PHONE_SIGN: "certificate policy: statements of kind sign and signed attributes by a phone bound with a card",
        POLICY_PHONE_KEYS_REMOTE: "certificate policy: the phone's key lies in a key store of the platform and is released by the phone's passkey (back end B)",
        POLICY_RECEIPT: "certificate policy: receipts of an Inkan platform",
        POLICY_AUDIT_HEAD: "certificate policy: heads of the audit log of an Inkan platform",
        POLICY_BRIDGE: "certificate policy: what a bridge maps the policies of its members onto",
        POLICY_SEAL: "certificate policy: seals of organisations on documents",
        POLICY_WINDOW: "certificate policy: requests forwarded by a service window",
        POLICY_TLS_CLIENT: "certificate policy: TLS clients of relying parties",
        POLICY_TIME_STAMPING: "certificate policy: signer of time-stamps",
        PHONE_BINDING: "certificate extension: hash of the FIDO2 credential and id of the binding",
        CONTENT_BIND: "CMS content: request to bind a phone",
        CONTENT_RENEW: "CMS content: request to renew a phone's certificates",
        CONTENT_REVOKE: "CMS content: request to revoke a phone",
        CONTENT_WINDOW: "CMS content: request forwarded by a service window",
        CONTENT_CEREMONY: "CMS content: approval of a key ceremony by a custodian",
        CONTENT_SEAL: "CMS content: seal of an organisation across its application and its consent",
        CONTENT_CARD_LOGIN: "CMS content: login of a browser by a card",
        CONTENT_CARD_REVOKE: "CMS content: request to revoke the certificates of the card that signs",
        CONTENT_SUBMISSION: "CMS content: electronic form sent to an agency",
        TIMESTAMP_POLICY: "time-stamp policy: accuracy as stated in the token, clock guarded as in docs/timestamps.md",
    }
)
