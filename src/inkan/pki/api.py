"""What third parties fetch: authorities' certificates, lists, OCSP answers, the status at a time, time-stamps."""

import base64
import binascii
import hashlib
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from string import hexdigits
from urllib.parse import unquote

from inkan.crypto.certificate_file import pem
from inkan.crypto.certificates import certs_only
from inkan.crypto.tsp import MAX_REQUEST_SIZE, QUERY_TYPE, REPLY_TYPE, PKIFailure
from inkan.crypto.tsp_response import refused
from inkan.kernel.errors import Category, InkanError, Malformed
from inkan.pki.rules import MirrorKind
from inkan.pki.service import PKI
from inkan.pki.service.publications import DocumentName, find_edition
from inkan.pki.service.responder import Reply
from inkan.web.exchange import Exchange
from inkan.web.input import check_media_type
from inkan.web.limits import RateLimit
from inkan.web.principal import open_to_all
from inkan.web.problems import status_of
from inkan.web.ready import ReadyAnswers, Repeatable, expires, http_date
from inkan.web.response import Response, binary, ok
from inkan.web.routes import Bare, Endpoint, Group, Surface

_PUBLISHED = open_to_all("published for everybody who verifies a certificate (RFC 5280, RFC 6960)")
_CERTIFICATE_TYPE = "application/pkix-cert"
_BUNDLE_TYPE = "application/pkcs7-mime"
_PEM_TYPE = "application/x-pem-file"
_CRL_TYPE = "application/pkix-crl"
_OCSP_TYPE = "application/ocsp-response"
_OCSP_LIMIT = 4096
_SERIAL_DIGITS = 42
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
# A full list has 75 MB in a nation: once a week, its delta once an hour, and as often again after a failure.
_MIRROR_LIMIT = RateLimit(name="mirror", requests=60, window=timedelta(hours=1))
_STATUS_LIMIT = RateLimit(name="certificate-status", requests=120, window=timedelta(minutes=1))


def routes(pki: PKI, *, live_per_minute: int = 600) -> list[Group]:
    """The groups of published objects.

    ``live_per_minute`` is how many OCSP answers that cannot be stored one sender gets.
    """
    return [_small(pki, live_per_minute), _mirrors(pki), _status(pki)]


def _small(pki: PKI, live_per_minute: int) -> Group:
    """Certificates, lists, OCSP."""
    ready = ReadyAnswers(pki.clock)
    pki.on_change(ready.clear)
    live = RateLimit(name="ocsp-live", requests=live_per_minute, window=timedelta(minutes=1))

    async def certificate(exchange: Exchange) -> Response:
        file = exchange.parameters["file"]
        if file.endswith(".p7c"):
            bundle = certs_only(pki.hierarchy.bundle(file.removesuffix(".p7c")))
            return binary(bundle, _BUNDLE_TYPE, max_age_s=_CERTIFICATE_MAX_AGE_S)
        if file.endswith(".pem"):
            der = pki.hierarchy.certificate(file.removesuffix(".pem"))
            return binary(pem(der).encode(), _PEM_TYPE, max_age_s=_CERTIFICATE_MAX_AGE_S)
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

    async def ask(exchange: Exchange, der: bytes) -> Reply:
        def admit() -> None:
            site = exchange.site
            site.rates.take(live, exchange.source, now=site.clock.monotonic())

        return await pki.ocsp(exchange.parameters["name"], der, admit=admit)

    async def ask_by_post(exchange: Exchange) -> Response:
        reply = await ask(exchange, await exchange.body())
        return Response(HTTPStatus.OK, reply.der, media_type=_OCSP_TYPE)

    async def ask_by_get(exchange: Exchange) -> Response:
        generation = ready.generation
        reply = await ask(exchange, _decode(exchange.parameters["request"]))
        response = _cacheable(exchange, reply)
        if reply.until is not None and response.status == HTTPStatus.OK:
            response.repeatable = Repeatable(ready, generation, reply.until, reply.max_age_s)
        return response

    return Group(
        surface=Surface.PUBLIC,
        ready=ready,
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


def _mirrors(pki: PKI) -> Group:
    """Full lists and deltas, at the addresses of :class:`inkan.pki.PublicURLs`."""

    def serve(kind: MirrorKind) -> Endpoint:
        async def endpoint(exchange: Exchange) -> Response:
            found = await pki.mirror(exchange.parameters["name"], kind)
            tag = f'"{found.tag}"'
            if _is_known(exchange, tag):
                await found.pieces.aclose()
                return Response(HTTPStatus.NOT_MODIFIED).with_header("etag", tag)
            response = Response(HTTPStatus.OK, found.pieces, media_type=_CRL_TYPE)
            response.with_header("content-length", str(found.size)).with_header("etag", tag)
            return response.with_header("cache-control", f"public, max-age={_CRL_MAX_AGE_S}")

        return endpoint

    return Group(
        surface=Surface.PUBLIC,
        limit=_MIRROR_LIMIT,
        bare={
            ("GET", "/crl/{name}/full.crl"): Bare(
                endpoint=serve(MirrorKind.BASE), access=_PUBLISHED
            ),
            ("GET", "/crl/{name}/delta.crl"): Bare(
                endpoint=serve(MirrorKind.DELTA), access=_PUBLISHED
            ),
        },
    )


def _tsp_error(error: InkanError, _: Exchange) -> Response:
    """The reply of RFC 3161 to whatever kept a request from the authority, with the status of HTTP."""
    failure = _TSP_FAILURES[error.category]
    return Response(status_of(error), refused(failure), media_type=REPLY_TYPE)


def _status(pki: PKI) -> Group:
    """The status of a certificate at a time, for whoever has its serial number."""

    async def status(exchange: Exchange) -> Response:
        serial, at = _serial(exchange.parameters["serial"]), _time(exchange.query("at"))
        found = await pki.find_serial(serial, authority=exchange.parameters["name"], at=at)
        return ok(found)

    access = open_to_all("says no more than OCSP and the lists of that time said")
    return Group(
        surface=Surface.PUBLIC,
        limit=_STATUS_LIMIT,
        bare={("GET", "/status/{name}/{serial}"): Bare(endpoint=status, access=access)},
    )


def _cacheable(exchange: Exchange, reply: Reply) -> Response:
    """The answer with the headers of RFC 5019 §6.2; what may not be kept has none of them."""
    if reply.this_update is None:
        return Response(HTTPStatus.OK, reply.der, media_type=_OCSP_TYPE)
    clock = exchange.site.clock
    tag = f'"{hashlib.sha256(reply.der).hexdigest()[:32]}"'
    if _is_known(exchange, tag):
        response = Response(HTTPStatus.NOT_MODIFIED)
    else:
        response = Response(HTTPStatus.OK, reply.der, media_type=_OCSP_TYPE)
    caching = f"max-age={reply.max_age_s}, public, no-transform, must-revalidate"
    response.with_header("cache-control", caching).with_header("etag", tag)
    # Caches live in true time, an instance outside production perhaps ahead of it.
    response.headers.append((b"last-modified", http_date(reply.this_update - clock.offset)))
    response.headers.append((b"expires", expires(clock, reply.max_age_s)))
    return response


def _is_known(exchange: Exchange, tag: str) -> bool:
    """Whether the sender has these bytes already (RFC 9110 §13.1.2)."""
    sent = exchange.header("if-none-match")
    return sent is not None and tag in {each.strip().removeprefix("W/") for each in sent.split(",")}


def _serial(text: str) -> str:
    """Lower-case hexadecimal without leading zeros, as the register has it."""
    digits = text.replace(":", "").lower()
    if not digits or len(digits) > _SERIAL_DIGITS or set(digits) - set(hexdigits):
        raise Malformed(where="serial", expected="a serial number in hexadecimal")
    return digits.lstrip("0")


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Malformed(where="at", expected="a time of RFC 3339") from None
    if at.tzinfo is None:
        raise Malformed(where="at", expected="a time of RFC 3339 with its offset")
    return at.astimezone(UTC)


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
