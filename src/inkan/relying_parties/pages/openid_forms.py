"""From the fields of the form for client metadata to the metadata, and back. Names are those of the standards."""

from collections.abc import Mapping
from typing import Any, Final

from inkan.relying_parties.model.openid import OpenIDRegistration
from inkan.relying_parties.service.drafting import convert

Fields = Mapping[str, str]

# What people read: English, the key of its translations. The order is the page's.
PROFILES: Final = {
    "basic": "Basic: OpenID Connect for ordinary clients",
    "fapi2": "FAPI 2.0 Security Profile: for agencies and banks",
    "fapi2_message_signing": "FAPI 2.0 with Message Signing",
}
GRANTS: Final = {
    "authorization_code": "Login page (authorization_code)",
    "refresh_token": "Renewal without the person (refresh_token)",
    "client_credentials": "Tokens without a person (client_credentials)",
    "urn:openid:params:grant-type:ciba": "Push to the phone (CIBA)",
    "urn:ietf:params:oauth:grant-type:device_code": "Device without a browser (device_code)",
}
METHODS: Final = {
    "private_key_jwt": "Signed assertion (private_key_jwt)",
    "self_signed_tls_client_auth": "Certificate of the connection (self_signed_tls_client_auth)",
    "client_secret_basic": "Secret in the header (client_secret_basic)",
    "client_secret_post": "Secret in the body (client_secret_post)",
}
CONSTRAINTS: Final = {
    "dpop": "A key of the client (DPoP)",
    "mtls": "The certificate of the connection (mTLS)",
    "none": "Nothing (Bearer)",
}
DELIVERIES: Final = {"": "No push", "poll": "It asks (poll)", "ping": "It is told (ping)"}

_TEXTS: Final = (
    "purpose",
    "profile",
    "token_endpoint_auth_method",
    "sender_constraint",
    "id_token_signed_response_alg",
    "userinfo_signed_response_alg",
    "backchannel_logout_uri",
    "backchannel_token_delivery_mode",
    "backchannel_client_notification_endpoint",
)
_LISTS: Final = (
    "redirect_uris",
    "post_logout_redirect_uris",
    "resources",
    "default_acr_values",
)


def openid(fields: Fields, *, approvals: list[str]) -> OpenIDRegistration:
    """The client metadata of its form.

    Args:
        fields: as they were typed.
        approvals: codes of the system's purposes that may be ticked.

    Raises:
        ApplicationIncomplete: with the place.
    """
    wanted: dict[str, Any] = {name: fields.get(name, "").strip() for name in _TEXTS}
    wanted |= {name: fields.get(name, "").split() for name in _LISTS}
    wanted["grant_types"] = [grant for grant in GRANTS if fields.get(f"grant_{grant}")]
    wanted["approval_purposes"] = [each for each in approvals if fields.get(f"approval_{each}")]
    wanted["inkan_code"] = bool(fields.get("inkan_code"))
    read: OpenIDRegistration = convert(OpenIDRegistration, wanted, where="/openid")
    return read


def openid_fields(said: OpenIDRegistration | None) -> dict[str, str]:
    """The fields of the form that metadata would have been typed in; those of a new client when there is none."""
    if said is None:
        return {"grant_authorization_code": "yes", "sender_constraint": "dpop"}
    fields = {name: str(getattr(said, name)) for name in _TEXTS}
    fields |= {name: "\n".join(getattr(said, name)) for name in _LISTS}
    fields |= {f"grant_{grant}": "yes" for grant in said.grant_types}
    fields |= {f"approval_{each}": "yes" for each in said.approval_purposes}
    return fields | ({"inkan_code": "yes"} if said.inkan_code else {})


def shown(said: OpenIDRegistration | Mapping[str, Any] | None) -> list[tuple[str, list[str]]]:
    """Metadata for readers: each member that says something, with its values; the hash of a secret is nobody's."""
    if said is None:
        return []
    names = OpenIDRegistration.__struct_fields__
    get = said.get if isinstance(said, Mapping) else lambda name: getattr(said, name)
    values = {name: get(name) for name in names if name != "client_secret_sha256"}
    return [
        (name, [str(each) for each in (value if isinstance(value, list) else [value])])
        for name, value in values.items()
        if value
    ]
