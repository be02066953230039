"""What third parties fetch: authorities' certificates, revocation lists, OCSP answers."""

import base64
import binascii
from urllib.parse import unquote

from inkan.crypto.certificate_file import pem
from inkan.kernel.errors import Malformed
from inkan.pki.service import PKI
from inkan.web.exchange import Exchange
from inkan.web.principal import open_to_all
from inkan.web.response import Response, binary
from inkan.web.routes import Bare, Group, Surface

_PUBLISHED = open_to_all("published for everybody who verifies a certificate (RFC 5280, RFC 6960)")
_CERTIFICATE_TYPE = "application/pkix-cert"
_PEM_TYPE = "application/x-pem-file"
_CRL_TYPE = "application/pkix-crl"
_OCSP_TYPE = "application/ocsp-response"
_OCSP_LIMIT = 4096
# A list is fetched again within minutes of a revocation; the bound for a cache is its nextUpdate.
_CRL_MAX_AGE_S = 60
_CERTIFICATE_MAX_AGE_S = 86_400


def routes(pki: PKI) -> Group:
    """The group of published objects."""

    async def certificate(exchange: Exchange) -> Response:
        file = exchange.parameters["file"]
        if file.endswith(".pem"):
            der = pki.hierarchy.get(file.removesuffix(".pem")).certificate
            return binary(pem(der).encode(), _PEM_TYPE, max_age_s=_CERTIFICATE_MAX_AGE_S)
        der = pki.hierarchy.get(_without(file, ".cer")).certificate
        return binary(der, _CERTIFICATE_TYPE, max_age_s=_CERTIFICATE_MAX_AGE_S)

    async def full_list(exchange: Exchange) -> Response:
        name = _without(exchange.parameters["name"], ".crl")
        return binary(await pki.crl(name), _CRL_TYPE, max_age_s=_CRL_MAX_AGE_S)

    async def shard_list(exchange: Exchange) -> Response:
        shard = _without(exchange.parameters["file"], ".crl")
        if not shard.isascii() or not shard.isdigit():
            raise Malformed(where="shard", expected="a number")
        der = await pki.crl(exchange.parameters["name"], int(shard))
        return binary(der, _CRL_TYPE, max_age_s=_CRL_MAX_AGE_S)

    async def ask_by_post(exchange: Exchange) -> Response:
        der, _ = await pki.ocsp(exchange.parameters["name"], await exchange.body())
        return Response(200, der, media_type=_OCSP_TYPE)

    async def ask_by_get(exchange: Exchange) -> Response:
        request = _decode(exchange.parameters["request"])
        der, max_age_s = await pki.ocsp(exchange.parameters["name"], request)
        return binary(der, _OCSP_TYPE, max_age_s=max_age_s or None)

    return Group(
        surface=Surface.PUBLIC,
        bare={
            ("GET", "/ca/{file}"): Bare(endpoint=certificate, access=_PUBLISHED),
            ("GET", "/crl/{name}"): Bare(endpoint=full_list, access=_PUBLISHED),
            ("GET", "/crl/{name}/{file}"): Bare(endpoint=shard_list, access=_PUBLISHED),
            ("POST", "/ocsp/{name}"): Bare(
                endpoint=ask_by_post, access=_PUBLISHED, body_limit=_OCSP_LIMIT
            ),
            ("GET", "/ocsp/{name}/{request:path}"): Bare(endpoint=ask_by_get, access=_PUBLISHED),
        },
    )


def _without(file: str, ending: str) -> str:
    if not file.endswith(ending):
        raise Malformed(where="path", expected=f"a name that ends in {ending}")
    return file.removesuffix(ending)


def _decode(text: str) -> bytes:
    """The request of RFC 5019 §5: base64 of the DER, URL-encoded; an unreadable one is malformed DER."""
    try:
        return base64.b64decode(unquote(text), validate=True)
    except (binascii.Error, ValueError):
        return b""
