"""What third parties fetch: authorities' certificates, revocation lists, OCSP answers, time-stamps."""

import base64
import binascii
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import unquote

from inkan.crypto.certificates import certs_only
from inkan.crypto.tsp import MAX_REQUEST_SIZE, QUERY_TYPE, REPLY_TYPE, PKIFailure
from inkan.crypto.tsp_response import refused
from inkan.kernel.errors import Category, InkanError, Malformed
from inkan.pki.service import PKI
from inkan.pki.service.publications import DocumentName, find_edition
from inkan.web.exchange import Exchange
from inkan.web.input import check_media_type
from inkan.web.limits import RateLimit
from inkan.web.principal import open_to_all
from inkan.web.problems import status_of
from inkan.web.response import Response, binary
from inkan.web.routes import Bare, Group, Surface

_PUBLISHED = open_to_all("published for everybody who verifies a certificate (RFC 5280, RFC 6960)")
_CERTIFICATE_TYPE = "application/pkix-cert"
_BUNDLE_TYPE = "application/pkcs7-mime"
_CRL_TYPE = "application/pkix-crl"
_OCSP_TYPE = "application/ocsp-response"
_OCSP_LIMIT = 4096
# A list is fetched again within minutes of a revocation; the bound for a cache is its nextUpdate.
_CRL_MAX_AGE_S = 60
_CERTIFICATE_MAX_AGE_S = 86_400
_DOCUMENT_TYPE = "text/markdown; charset=utf-8"
_DOCUMENT_MAX_AGE_S = 3_600
_STAMPED = open_to_all(
    "anybody may have an imprint stamped (RFC 3161); the rate is limited by address"
)

# What was refused before the authority saw it, in its own words; HTTP says the rest.
_TSP_FAILURES = {
    Category.MALFORMED: PKIFailure.BAD_DATA_FORMAT,
    Category.TOO_LARGE: PKIFailure.BAD_REQUEST,
    Category.UNAUTHENTICATED: PKIFailure.BAD_REQUEST,
    Category.FORBIDDEN: PKIFailure.BAD_REQUEST,
    Category.NOT_FOUND: PKIFailure.BAD_REQUEST,
    Category.CONFLICT: PKIFailure.BAD_REQUEST,
    Category.GONE: PKIFailure.BAD_REQUEST,
    Category.TOO_MANY: PKIFailure.SYSTEM_FAILURE,
    Category.UNAVAILABLE: PKIFailure.SYSTEM_FAILURE,
}


def routes(pki: PKI) -> Group:
    """The group of published objects."""

    async def certificate(exchange: Exchange) -> Response:
        file = exchange.parameters["file"]
        if file.endswith(".p7c"):
            bundle = certs_only(pki.hierarchy.bundle(file.removesuffix(".p7c")))
            return binary(bundle, _BUNDLE_TYPE, max_age_s=_CERTIFICATE_MAX_AGE_S)
        der = pki.hierarchy.certificate(_without(file, ".cer"))
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

    async def document(exchange: Exchange) -> Response:
        name = DocumentName(exchange.path.split("/")[1])
        edition = find_edition(name, exchange.parameters.get("version"))
        return binary(edition.text.encode(), _DOCUMENT_TYPE, max_age_s=_DOCUMENT_MAX_AGE_S)

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
            **{
                ("GET", f"/{name}{rest}"): Bare(endpoint=document, access=_PUBLISHED)
                for name in DocumentName
                for rest in ("", "/{version}")
            },
            ("POST", "/ocsp/{name}"): Bare(
                endpoint=ask_by_post, access=_PUBLISHED, body_limit=_OCSP_LIMIT
            ),
            ("GET", "/ocsp/{name}/{request:path}"): Bare(endpoint=ask_by_get, access=_PUBLISHED),
        },
    )


def timestamp_routes(pki: PKI, *, per_minute: int) -> Group:
    """The time-stamping authority over HTTP (RFC 3161 §3.4); ``per_minute`` bounds each sender's address."""

    async def stamp(exchange: Exchange) -> Response:
        check_media_type(exchange.header("content-type"), QUERY_TYPE)
        reply = await pki.timestamp(await exchange.body())
        return Response(HTTPStatus.OK, reply, media_type=REPLY_TYPE)

    return Group(
        surface=Surface.PUBLIC,
        limit=RateLimit(name="timestamps", requests=per_minute, window=timedelta(minutes=1)),
        bare={
            ("POST", "/tsa"): Bare(
                endpoint=stamp,
                access=_STAMPED,
                body_limit=MAX_REQUEST_SIZE,
                errors=_tsp_error,
            )
        },
    )


def _tsp_error(error: InkanError, _: Exchange) -> Response:
    """The reply of RFC 3161 to whatever kept a request from the authority, with the status of HTTP."""
    failure = _TSP_FAILURES[error.category]
    return Response(status_of(error), refused(failure), media_type=REPLY_TYPE)


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
