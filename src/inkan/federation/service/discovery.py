"""The provider's metadata (OIDC Discovery §3, RFC 8414 §2): a table of what works, as bytes that are made once.

A row stands here when the thing behind it answers; what has a table of its own is read from it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from inkan.federation.rules.claims import CLAIM_ROWS, SCOPES, TOKEN_CLAIMS, TRUST_ROWS
from inkan.federation.rules.details import KIND_OF_TYPE
from inkan.federation.service.keys import SPECS, Published, publish
from inkan.federation.service.levels import ACR_VALUES
from inkan.federation.service.modes import MODES
from inkan.federation.service.request_objects import ALGORITHMS
from inkan.federation.service.validation import PROMPTS
from inkan.relying_parties import AuthMethod, Delivery, GrantType

# Member → path of the endpoint below the issuer.
ENDPOINTS: Final[Mapping[str, str]] = {
    "authorization_endpoint": "/authorize",
    "token_endpoint": "/token",
    "jwks_uri": "/openid/jwks",
    "userinfo_endpoint": "/userinfo",
    "introspection_endpoint": "/introspect",
    "revocation_endpoint": "/revoke",
    "pushed_authorization_request_endpoint": "/par",
    "backchannel_authentication_endpoint": "/bc-authorize",
    "device_authorization_endpoint": "/device_authorization",
    "end_session_endpoint": "/openid/logout",
}
_OURS: Final = sorted(SPECS)
_THEIRS: Final = sorted(ALGORITHMS)
_BY_CERTIFICATE: Final = "self_signed_tls_client_auth"
# RFC 8414 §2: these authenticate as the token endpoint does.
_AUTHENTICATED: Final = ("token", "introspection", "revocation")

# Member → what is offered; each with its source.
ROWS: Final[Mapping[str, Any]] = {
    # OIDC Discovery §3, RFC 8414 §2.
    "scopes_supported": list(SCOPES),
    "response_types_supported": ["code"],
    "response_modes_supported": list(MODES),
    "grant_types_supported": list(get_args(GrantType)),
    "acr_values_supported": list(ACR_VALUES),
    "subject_types_supported": ["pairwise"],
    "id_token_signing_alg_values_supported": _OURS,
    "userinfo_signing_alg_values_supported": _OURS,
    "claim_types_supported": ["normal"],
    "claims_supported": [*TOKEN_CLAIMS, *CLAIM_ROWS],
    "claims_parameter_supported": True,
    "ui_locales_supported": ["zh-Hant", "ja", "en"],
    # Initiating User Registration via OpenID Connect §3.
    "prompt_values_supported": sorted(PROMPTS),
    # RFC 9101 §10.5: signed objects in the parameter; nothing is fetched, which has to be said (OIDC Discovery §3).
    "request_parameter_supported": True,
    "request_uri_parameter_supported": False,
    "request_object_signing_alg_values_supported": _THEIRS,
    # RFC 9207 §3, JARM §3, RFC 9126 §5.
    "authorization_response_iss_parameter_supported": True,
    "authorization_signing_alg_values_supported": _OURS,
    "require_pushed_authorization_requests": False,
    # RFC 8414 §2, RFC 7636 §6.2: never plain.
    "code_challenge_methods_supported": ["S256"],
    # RFC 9449 §5.1.
    "dpop_signing_alg_values_supported": _THEIRS,
    # RFC 9701 §7.
    "introspection_signing_alg_values_supported": ["ES256"],
    # RFC 9396 §10.
    "authorization_details_types_supported": list(KIND_OF_TYPE),
    # CIBA Core §4.
    "backchannel_token_delivery_modes_supported": list(get_args(Delivery)),
    "backchannel_user_code_parameter_supported": False,
    "backchannel_authentication_request_signing_alg_values_supported": _THEIRS,
    # OIDC Back-Channel Logout §2.1.
    "backchannel_logout_supported": True,
    "backchannel_logout_session_supported": True,
}


def _assurance() -> Iterator[tuple[str, Any]]:
    """OIDC4IDA §9: what stands behind ``verified_claims``, as the table of sources has it."""
    evidence = [each for row in TRUST_ROWS.values() for each in row.evidence("")]
    documents = [each for each in evidence if each["type"] == "document"]
    records = [each for each in evidence if each["type"] == "electronic_record"]
    checks = [check for each in evidence for check in each.get("check_details", ())]
    yield "verified_claims_supported", True
    yield "trust_frameworks_supported", [row.framework for row in TRUST_ROWS.values()]
    yield "claims_in_verified_claims_supported", list(CLAIM_ROWS)
    yield "evidence_supported", sorted({each["type"] for each in evidence})
    yield "documents_supported", sorted({each["document_details"]["type"] for each in documents})
    yield "documents_check_methods_supported", sorted({check["check_method"] for check in checks})
    yield "electronic_records_supported", sorted({each["record"]["type"] for each in records})


def metadata(issuer: str, *, certificates: bool) -> dict[str, Any]:
    """The document of an issuer.

    Args:
        issuer: its identifier.
        certificates: whether the instance sees the certificates of its clients (RFC 8705).
    """
    methods = [each for each in get_args(AuthMethod) if certificates or each != _BY_CERTIFICATE]
    document = {
        "issuer": issuer,
        **{member: issuer + path for member, path in ENDPOINTS.items()},
        **ROWS,
        **dict(_assurance()),
        # RFC 8705 §3.3.
        "tls_client_certificate_bound_access_tokens": certificates,
    }
    for endpoint in _AUTHENTICATED:
        document[f"{endpoint}_endpoint_auth_methods_supported"] = methods
        document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = _THEIRS
    return document


def published(issuer: str, *, certificates: bool) -> Published:
    """Both well-known documents, which say the same (RFC 8414 §3 and §5)."""
    return publish(metadata(issuer, certificates=certificates))
