"""The wallet itself, on its own origin: the page, its texts, its service worker and its manifest.

The page is the same under every address that a code or link leads to; what these carry stands in the fragment, which
no server sees. Without script the page says what the address is for.
"""

from datetime import timedelta
from typing import Final

from inkan.wallet.rules import ADDRESSES, HOME
from inkan.wallet.service import ReaderFile, Shell
from inkan.web import headers
from inkan.web.exchange import Exchange
from inkan.web.headers import Policy
from inkan.web.principal import open_to_all
from inkan.web.response import HTML, JSON, Response
from inkan.web.routes import Bare, Endpoint, Group, Surface

_OPEN: Final = open_to_all("the wallet holds nothing of anybody, and never sees its fragment")
# The reader compiles WebAssembly, which it fetches itself; the page that starts it may do neither.
_READER: Final = headers.API.allowing("script-src", "'wasm-unsafe-eval'").allowing(
    "connect-src", "'self'"
)
_FOREVER: Final = f"public, max-age={int(timedelta(days=365).total_seconds())}, immutable"


def policy(shell: Shell) -> Policy:
    """The wallet's own policy: its camera, its passkeys, one named Trusted Types policy, and the platform to call."""
    granted = ["camera", "publickey-credentials-create", "publickey-credentials-get"]
    if shell.facts.is_test:
        granted.append("display-capture")
    allowed = headers.PAGES.allowing("connect-src", shell.facts.platform, *shell.facts.screens)
    allowed = allowed.allowing("worker-src", "'self'").allowing("trusted-types", "inkan-wallet")
    return allowed.granting(*granted)


def routes(shell: Shell) -> tuple[Group, Group]:
    """The groups of the wallet: its page under every address, and the files that it loads."""

    async def page(exchange: Exchange) -> Response:
        response = Response(200, shell.pages[exchange.language], media_type=HTML)
        response.with_header("content-language", exchange.language)
        return response.with_header("vary", "accept-language, cookie")

    own = policy(shell)
    pages = {
        ("GET", path): Bare(endpoint=page, access=_OPEN, policy=own) for path in (HOME, *ADDRESSES)
    }
    files = {("GET", path): bare for path, bare in _files(shell).items()}
    return Group(surface=Surface.PAGES, bare=pages), Group(surface=Surface.API, bare=files)


def _files(shell: Shell) -> dict[str, Bare]:
    texts = {
        path: _file(shell.texts[language], JSON, _FOREVER)
        for language, path in shell.text_paths.items()
    }
    # A worker's own answer says what it may fetch: what it keeps of its origin, and nothing else.
    worker_policy = headers.API.allowing("connect-src", "'self'")
    files = {
        "/sw.js": _file(shell.worker, "text/javascript", "no-cache", worker_policy),
        "/manifest.webmanifest": _file(shell.manifest, "application/manifest+json", "no-cache"),
    }
    built = () if shell.reader is None else (shell.reader.script, shell.reader.wasm)
    return texts | files | {each.path: _compressed(each) for each in built}


def _file(body: bytes, kind: str, caching: str, own: Policy = headers.API) -> Bare:
    async def serve(_: Exchange) -> Response:
        return Response(200, body, media_type=kind).with_header("cache-control", caching)

    endpoint: Endpoint = serve
    return Bare(endpoint=endpoint, access=_OPEN, policy=own)


def _compressed(file: ReaderFile) -> Bare:
    async def serve(exchange: Exchange) -> Response:
        takes_gzip = "gzip" in (exchange.header("accept-encoding") or "")
        body = file.compressed if takes_gzip else file.plain
        response = Response(200, body, media_type=file.media_type)
        response.with_header("cache-control", _FOREVER).with_header("vary", "accept-encoding")
        return response.with_header("content-encoding", "gzip") if takes_gzip else response

    return Bare(endpoint=serve, access=_OPEN, policy=_READER)
