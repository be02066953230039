"""From tables to one ASGI application: sites, their groups, and what runs beside them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import cast

from inkan.kernel.clock import Clock
from inkan.kernel.errors import all_errors
from inkan.kernel.sensitive import Secret
from inkan.web import catalogue
from inkan.web.asgi import ASGIApp, RawHeaders, Receive, Scope, Send
from inkan.web.assets import Asset
from inkan.web.client_certificates import CertificateProxies
from inkan.web.closing import Closing
from inkan.web.csrf import CSRF
from inkan.web.exchange import (
    SCOPE_KEY,
    Around,
    Exchange,
    MenuItem,
    Surroundings,
    current_exchange,
)
from inkan.web.framework import build_framework, framework_routes
from inkan.web.hosts import Lifespan, authorities, host_of, serve_lifespan
from inkan.web.limits import RateWindows
from inkan.web.log import get_logger
from inkan.web.metrics import Metrics, known_method
from inkan.web.openapi import Document, draw
from inkan.web.pipeline import finish_and_send, respond
from inkan.web.principal import Matrix, Permission, open_to_all
from inkan.web.problems import answered
from inkan.web.ready import ReadyAnswers, is_plain
from inkan.web.request import ClientGone
from inkan.web.response import JSON, Response, binary
from inkan.web.routes import Bare, Endpoint, Group, Route, RouteTable, Surface
from inkan.web.templates import Templates

_log = get_logger("inkan.web")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One host of an instance: the platform's, the wallet's."""

    name: str
    """What the head of its pages calls it."""
    origin: str
    """``https://id.example``, without a trailing slash."""
    groups: Sequence[Group]
    documents: Sequence[Document] = ()
    menu: tuple[MenuItem, ...] = ()
    foot: tuple[MenuItem, ...] = ()
    help: str = ""
    """``/v1/errors/``: where the catalogue answers about a code; every problem then links to its entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What the sites of an instance share."""

    clock: Clock
    csrf_key: Secret[bytes]
    """At least 32 bytes that outlive a restart, so that open forms do too."""
    templates: Templates | None = None
    permissions: Sequence[Permission] = ()
    metrics: Metrics | None = None
    access_log: bool = False
    """Whether every request is a line of the log: route, status and duration, never a path."""
    around: Around | None = None
    """Stands around every bare endpoint; None but in a sandbox, which injects faults there."""
    certificate_proxies: Sequence[str] = ()
    """Addresses and networks whose ``Client-Cert`` counts; see :mod:`inkan.web.client_certificates`."""


@dataclass(frozen=True, slots=True)
class _ServedSite:
    surroundings: Surroundings
    table: RouteTable
    framework: ASGIApp
    ready: tuple[ReadyAnswers, ...]


class Application:
    """An ASGI application over several hosts.

    Attributes:
        routes: by origin, the rows of its table; the walks of the test suite go over them.
        csrf: makes and checks the tokens of all sites.
    """

    def __init__(
        self,
        sites: Sequence[_ServedSite],
        nowhere: Surroundings,
        equipment: Equipment,
        lifespan: Sequence[Lifespan],
    ) -> None:
        self._sites = {
            authority: site for site in sites for authority in authorities(site.surroundings.origin)
        }
        self._nowhere = nowhere
        self.csrf = nowhere.csrf
        self._lifespan = tuple(lifespan)
        self._metrics = equipment.metrics
        self._access_log = equipment.access_log
        self._certificates = CertificateProxies(equipment.certificate_proxies)
        self.routes: dict[str, tuple[Route, ...]] = {
            site.surroundings.origin: site.table.routes for site in sites
        }

    @property
    def authorities(self) -> frozenset[str]:
        """The values of ``Host`` that this application answers to."""
        return frozenset(self._sites)

    def begin_closing(self) -> None:
        """Let long answers (event streams, long polls) end; called when the server starts to stop."""
        self._nowhere.closing.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """What has to be up while requests are served, entered in order and left in reverse."""
        self._nowhere.closing.clear()
        async with AsyncExitStack() as stack:
            for manager in self._lifespan:
                await stack.enter_async_context(manager())
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan of the process."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await serve_lifespan(self.running(), receive, send)
        else:
            raise NotImplementedError(f"{scope['type']} is not spoken here")

    def find_ready(self, target: bytes, headers: RawHeaders) -> tuple[bytes, ...] | None:
        """The answer to a GET that was kept as it was sent before, or None; see :mod:`inkan.web.ready`.

        Asked by the server as soon as the head of a request without a body is read.
        """
        site = self._sites.get(host_of({"headers": headers}))
        if site is None:
            return None
        for answers in site.ready:
            found = answers.find(target)
            if found is not None and is_plain(headers):
                self._count_ready()
                return found
        return None

    def _count_ready(self) -> None:
        if self._metrics is not None:
            self._metrics.observe("GET", "(ready)", 200, 0.0)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        site = self._sites.get(host_of(scope))
        exchange = Exchange(scope, receive, site.surroundings if site else self._nowhere)
        self._certificates.screen(exchange)
        scope[SCOPE_KEY] = exchange
        token = current_exchange.set(exchange)
        clock = exchange.site.clock
        started = clock.monotonic()
        try:
            table, framework = (site.table, site.framework) if site else (None, None)
            response = await answered(respond(exchange, table, framework, send), exchange)
            if response is not None:
                await finish_and_send(response, exchange, send)
        except ClientGone:
            exchange.status = 0
        finally:
            if self._metrics is not None or self._access_log:
                self._measure(exchange, clock.monotonic() - started)
            current_exchange.reset(token)

    def _measure(self, exchange: Exchange, seconds: float) -> None:
        template = exchange.route.template if exchange.route is not None else "(none)"
        method = known_method(exchange.method)
        if self._metrics is not None:
            self._metrics.observe(method, template, exchange.status, seconds)
        if self._access_log:
            milliseconds = round(seconds * 1000, 2)
            _log.info(
                "request",
                method=method,
                route=template,
                status=exchange.status,
                milliseconds=milliseconds,
            )


def build_app(
    sites: Sequence[Site], equipment: Equipment, *, lifespan: Sequence[Lifespan] = ()
) -> Application:
    """Build the application of an instance. Pure: it opens nothing and starts nothing.

    ``lifespan`` holds what has to be up while requests are served, in the order of its start.

    Raises:
        ValueError: two rows for one path and method, a row that does not say who may call it, or one
            whose use case is in no row of the permission matrix.
        CatalogueIncomplete: an error of the platform has no entry in the catalogue.
    """
    catalogue.verify_complete(e for e in all_errors() if e.__module__.startswith("inkan."))
    nowhere = Surroundings(
        name="",
        origin="",
        clock=equipment.clock,
        csrf=CSRF(equipment.csrf_key),
        templates=equipment.templates or Templates(),
        matrix=Matrix(equipment.permissions),
        rates=RateWindows(),
        menu=(),
        closing=Closing(),
        around=equipment.around,
    )
    served = [_build_site(site, nowhere) for site in sites]
    return Application(served, nowhere, equipment, lifespan)


def _build_site(site: Site, nowhere: Surroundings) -> _ServedSite:
    help_ = site.origin + site.help if site.help else ""
    surroundings = replace(
        nowhere, name=site.name, origin=site.origin, menu=site.menu, foot=site.foot, help=help_
    )
    groups = [*site.groups, _files(nowhere.templates)]
    framework = build_framework(groups)
    routes = framework_routes(framework, groups)
    routes += [
        _bare_row(*place, bare, group) for group in groups for place, bare in group.bare.items()
    ]
    documents = _documents(site, routes)
    routes += [_bare_row(*place, bare, documents) for place, bare in documents.bare.items()]
    _verify_use_cases(routes, nowhere.matrix)
    ready = tuple(group.ready for group in groups if group.ready is not None)
    return _ServedSite(surroundings, RouteTable(routes), cast("ASGIApp", framework), ready)


def _bare_row(method: str, template: str, bare: Bare, group: Group) -> Route:
    policy = bare.policy or group.relax.get(template) or group.default_policy
    return Route(
        method=method,
        template=template,
        group=group,
        access=bare.access,
        body_limit=bare.body_limit,
        policy=policy,
        endpoint=bare.endpoint,
        errors=bare.errors,
        operation=bare.operation,
        limit=bare.limit or group.limit,
    )


def _verify_use_cases(routes: Sequence[Route], matrix: Matrix) -> None:
    for route in routes:
        use_case = route.access.use_case
        if use_case is not None and use_case not in matrix.rows:
            raise ValueError(f"{route.method} {route.template}: no permission row for {use_case}")


def _files(templates: Templates) -> Group:
    """The static files of all packages, on every site, and the icon that browsers ask for unasked."""
    access = open_to_all("static files hold nothing of anybody")
    assets = templates.assets
    places = {("GET", path): _file(asset) for path, asset in assets.by_path.items()}
    places["GET", "/favicon.ico"] = _icon(assets.by_path[assets.url("web/seal.svg")])
    return Group(
        surface=Surface.API,
        bare={place: Bare(endpoint=endpoint, access=access) for place, endpoint in places.items()},
    )


def _icon(asset: Asset) -> Endpoint:
    async def serve(_: Exchange) -> Response:
        return binary(asset.body, asset.media_type, max_age_s=86_400)

    return serve


def _file(asset: Asset) -> Endpoint:
    async def serve(exchange: Exchange) -> Response:
        return asset.response(exchange.header("accept-encoding"))

    return serve


def _documents(site: Site, routes: Sequence[Route]) -> Group:
    access = open_to_all("the description of a public interface")
    return Group(
        surface=Surface.PUBLIC,
        bare={
            ("GET", document.path): Bare(
                endpoint=_drawn(document, routes, site.origin), access=access
            )
            for document in site.documents
        },
    )


def _drawn(document: Document, routes: Sequence[Route], origin: str) -> Endpoint:
    """Drawn when first asked for: a server that nobody asks starts faster."""
    kept: list[bytes] = []

    async def serve(_: Exchange) -> Response:
        if not kept:
            kept.append(draw(document, tuple(routes), origin=origin))
        return Response(200, kept[0], media_type=JSON)

    return serve
