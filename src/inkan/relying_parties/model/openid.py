"""What a system registers to use the platform as its OpenID provider: OAuth's client metadata (RFC 7591 §2).

The client is the system itself: its code is the ``client_id``, its keys are its ``jwks``.
"""

from typing import Annotated, Final, Literal

import msgspec

from inkan.wire.forms import Code

CLIENT_ADDRESSES_LIMIT: Final = 20

ClientAddress = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
MaybeAddress = Annotated[str, msgspec.Meta(max_length=500)]
Addresses = Annotated[list[ClientAddress], msgspec.Meta(max_length=CLIENT_ADDRESSES_LIMIT)]
SecretHash = Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9_-]{43})?\Z")]

Profile = Literal["basic", "fapi2", "fapi2_message_signing"]
GrantType = Literal[
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:openid:params:grant-type:ciba",
    "urn:ietf:params:oauth:grant-type:device_code",
]
AuthMethod = Literal[
    "private_key_jwt", "client_secret_basic", "client_secret_post", "self_signed_tls_client_auth"
]
SenderConstraint = Literal["none", "dpop", "mtls"]
IDTokenAlgorithm = Literal["RS256", "ES256"]
Delivery = Literal["poll", "ping"]


class OpenIDRegistration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The OpenID part of a system's registration; names and values are those of the standards.

    Attributes:
        profile: which rules hold; ``fapi2`` is the FAPI 2.0 Security Profile, the last one adds Message Signing.
        redirect_uris: compared letter by letter; their hosts are the system's domain or below it.
        client_secret_sha256: base64url SHA-256 of a secret of 256 random bits; empty for the other methods, and until
            a secret was drawn at this instance.
        sender_constraint: what binds this client's tokens; ``none`` is for the Basic profile alone.
        purpose: code of the system's purpose of kind identify under which people log in.
        approval_purposes: codes of its purposes of kind approve and sign that ``authorization_details`` may name.
        resources: further audiences that it may ask tokens for (RFC 8707).
        backchannel_token_delivery_mode: CIBA Core §4; empty when the client does not use CIBA.
        inkan_code: the client shows the six digits of ``inkan_code`` beside its request (design §5.7).
    """

    purpose: Code
    profile: Profile = "basic"
    redirect_uris: Addresses = []
    grant_types: list[GrantType] = msgspec.field(default_factory=lambda: ["authorization_code"])
    token_endpoint_auth_method: AuthMethod = "private_key_jwt"  # noqa: S105 - a method
    client_secret_sha256: SecretHash = ""
    sender_constraint: SenderConstraint = "none"
    id_token_signed_response_alg: IDTokenAlgorithm = "RS256"  # noqa: S105 - an algorithm
    userinfo_signed_response_alg: Literal["", "RS256", "ES256"] = ""
    approval_purposes: Annotated[list[Code], msgspec.Meta(max_length=20)] = []
    resources: Addresses = []
    post_logout_redirect_uris: Addresses = []
    backchannel_logout_uri: MaybeAddress = ""
    backchannel_token_delivery_mode: Literal["", "poll", "ping"] = ""
    backchannel_client_notification_endpoint: MaybeAddress = ""
    inkan_code: bool = False
    default_acr_values: Annotated[list[str], msgspec.Meta(max_length=5)] = []

    @property
    def is_fapi(self) -> bool:
        """Whether the FAPI 2.0 Security Profile binds the client."""
        return self.profile != "basic"
