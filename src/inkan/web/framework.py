"""The adapter to Litestar: handlers in, rows of the route table and one ASGI application out.

The route table decides what is served, to whom and how large; Litestar is left with what it is good at:
turning a handler's signature into arguments and its value into JSON. Bodies are decoded by
:mod:`inkan.web.input` instead of the framework's own lenient conversion, and every exception is answered
by :mod:`inkan.web.problems`.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from litestar import Litestar, Router
from litestar import Request as FrameworkRequest
from litestar import Response as FrameworkResponse
from litestar.di import Provide
from litestar.dto import AbstractDTO
from litestar.enums import ParamType
from litestar.exceptions import HTTPException, ValidationException
from litestar.handlers import HTTPRouteHandler
from litestar.params import ParameterKwarg
from litestar.routes import HTTPRoute
from litestar.types import Scope as FrameworkScope
from litestar.typing import FieldDefinition

from inkan.kernel.errors import InkanError, Malformed, NotFound, TooLarge
from inkan.web.exchange import Exchange, exchange_of
from inkan.web.input import BODY_LIMIT, check_media_type, decode, decode_form
from inkan.web.principal import ACCESS, Access
from inkan.web.problems import answer
from inkan.web.request import ParameterWrong
from inkan.web.response import Response
from inkan.web.routes import Group, Operation, QueryParameter, Route

_GROUP: Final = "inkan_group"
_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"


class StrictBody(AbstractDTO[Any]):
    """Decodes the ``data`` parameter of a handler by the platform's strict reader.

    A handler on a page reads a form, every other one JSON.
    """

    def decode_bytes(self, value: bytes) -> Any:
        """Decode the body into the type that the handler declares."""
        exchange = exchange_of(self.asgi_connection.scope)
        handler: Any = self.asgi_connection.route_handler
        kind = handler.parsed_data_field.annotation
        declared = exchange.header("content-type")
        if exchange.route.is_page:
            check_media_type(declared, _FORM)
            return decode_form(value, kind, limit=len(value))
        check_media_type(declared, _JSON)
        return decode(value, kind, limit=len(value))

    def decode_builtins(self, _: dict[str, Any]) -> Any:
        """Decode a form from its bytes; what the framework read of it before is not used."""
        return self.decode_bytes(exchange_of(self.asgi_connection.scope).read)

    @classmethod
    def create_for_field_definition(cls, *_: Any, **__: Any) -> None:
        """Nothing is prepared per handler: the type is decoded as it stands."""

    @classmethod
    def is_supported_model_type_field(cls, _: FieldDefinition) -> bool:
        """Only bodies are read through this; what a handler returns is encoded as it stands."""
        return False

    @classmethod
    def generate_field_definitions(cls, _: type[Any]) -> Iterator[Any]:  # type: ignore[override]
        """No transfer model is generated."""
        return iter(())

    @classmethod
    def detect_nested_field(cls, _: FieldDefinition) -> bool:
        """No transfer model is generated."""
        return False


def build_framework(groups: Sequence[Group]) -> Litestar:
    """One Litestar application for the handlers of all groups of a site."""
    routers = [
        Router(
            path="/",
            route_handlers=group.handlers,
            dependencies=_dependencies(group.services),
            opt={_GROUP: index},
            dto=StrictBody,
            return_dto=None,
        )
        for index, group in enumerate(groups)
        if group.handlers
    ]
    return Litestar(
        routers,
        dependencies={"exchange": Provide(_exchange, sync_to_thread=False)},
        exception_handlers={Exception: _answer},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=BODY_LIMIT,
        debug=False,
        pdb_on_exception=False,
    )


def _dependencies(services: Mapping[str, Any]) -> dict[str, Provide]:
    return {
        name: Provide(_constant(value), sync_to_thread=False) for name, value in services.items()
    }


def _constant(value: Any) -> Callable[[], Any]:
    def provide() -> Any:
        return value

    return provide


def _exchange(scope: FrameworkScope) -> Exchange:
    return exchange_of(scope)


def _answer(request: FrameworkRequest[Any, Any, Any], error: Exception) -> FrameworkResponse[bytes]:
    exchange = exchange_of(request.scope)
    response = answer(as_refusal(error, exchange), exchange)
    headers = {name.decode("ascii"): value.decode("latin-1") for name, value in response.headers}
    media_type = headers.pop("content-type", None)
    body = response.body if isinstance(response.body, bytes) else b""
    return FrameworkResponse(
        body, status_code=response.status, headers=headers, media_type=media_type
    )


def as_refusal(error: Exception, exchange: Exchange) -> Exception:
    """The platform's refusal for an exception of the framework; any other exception itself."""
    if isinstance(error, ValidationException):
        return _parameter_fault(error)
    if isinstance(error, HTTPException):
        kind = _REFUSALS.get(error.status_code)
        if kind is not None:
            return kind(limit_bytes=exchange.route.body_limit)
    return error


_REFUSALS: Final[Mapping[int, type[InkanError]]] = {400: Malformed, 404: NotFound, 413: TooLarge}


def _parameter_fault(error: ValidationException) -> InkanError:
    """Name the parameter, never its value."""
    extra = error.extra if isinstance(error.extra, list) else []
    names = [str(item.get("key")) for item in extra if isinstance(item, dict)]
    if not names or "data" in names:
        return Malformed(
            "the body or a required parameter is missing", where="", expected="a value"
        )
    return ParameterWrong(f"parameter {names[0].split('.')[0]}")


def framework_routes(application: Litestar, groups: Sequence[Group]) -> list[Route]:
    """The rows of all handlers.

    Raises:
        ValueError: a handler does not say who may call it.
    """
    return [
        _row(route, method, handler, groups)
        for route in application.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items()
        if method != "OPTIONS"
    ]


def _row(
    route: HTTPRoute, method: str, handler: HTTPRouteHandler, groups: Sequence[Group]
) -> Route:
    template = route.path_format or "/"
    access: Access | None = handler.opt.get(ACCESS)
    if access is None:
        raise ValueError(f"{method} {template}: say opt=requires(…) or opt=public(…)")
    group = groups[handler.opt[_GROUP]]
    return Route(
        method=method,
        template=template,
        group=group,
        access=access,
        body_limit=handler.resolve_request_max_body_size() or BODY_LIMIT,
        policy=group.relax.get(template, group.default_policy),
        endpoint=None,
        operation=_operation(handler, template),
        limit=group.limit,
    )


def _operation(handler: HTTPRouteHandler, template: str) -> Operation:
    summary, _, description = (inspect.getdoc(handler.fn) or "").partition("\n\n")
    data = handler.parsed_data_field
    returned = handler.parsed_return_field.annotation
    is_plain = returned in {None, type(None)} or returned is Response
    return Operation(
        name=handler.handler_name.rpartition(".")[2],
        summary=" ".join(summary.split()),
        description=description.strip(),
        body=data.annotation if data is not None else None,
        answer=None if is_plain else returned,
        status=handler.status_code,
        query=tuple(_query_parameters(handler, template)),
    )


def _query_parameters(handler: HTTPRouteHandler, template: str) -> Iterator[QueryParameter]:
    reserved = {"data", "exchange", "request", "scope", "state", *handler.resolve_dependencies()}
    for name, field in handler.parsed_fn_signature.parameters.items():
        if name in reserved or f"{{{name}}}" in template:
            continue
        kwarg = field.kwarg_definition
        described = kwarg if isinstance(kwarg, ParameterKwarg) else None
        if described is not None and described.param_type is not ParamType.QUERY:
            continue
        yield QueryParameter(
            name=(described.name if described else None) or name,
            type=field.annotation,
            required=field.is_required,
            description=(described.description if described else None) or "",
        )
