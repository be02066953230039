"""``authorization_details`` (RFC 9396): a question to approve or to sign, and the receipt as its result."""

from typing import Any

import msgspec

from inkan.crypto.jose import parse_object
from inkan.federation.model.grant import Answered, Grant
from inkan.federation.model.refusals import DetailsRefused
from inkan.federation.rules.claims import PARAMETER_LIMIT
from inkan.federation.rules.details import KIND_OF_TYPE, SIGN, Detail
from inkan.identification import ContentOrder
from inkan.kernel.errors import InkanError
from inkan.relying_parties import System
from inkan.wire.contents import Content, ContentFormat, contents_flaw


def parse_authorization_details(text: str, system: System) -> list[dict[str, Any]]:
    """The elements as they are kept and given back: one, because one answer is one question (design §5.3).

    Plan:
        1. at most 16 KiB; a JSON array of objects without duplicate names;
        2. exactly one element, of a known type, with the members of that type and no others (RFC 9396 §5);
        3. its purpose is registered for this client, and for its kind;
        4. exactly one of contents, documents, batch; an approval may have none;
        5. the contents are what a statement could say.

    Raises:
        DetailsRefused: any other form.
    """
    elements = _array(text)  # 1
    if len(elements) != 1:  # 2
        raise DetailsRefused("one element: each approval is a question of its own")
    try:
        detail = msgspec.convert(elements[0], Detail)
    except (msgspec.ValidationError, RecursionError) as wrong:
        raise DetailsRefused(str(wrong)) from None
    registered = system.openid.approval_purposes if system.openid else ()
    purpose = system.purposes.get(detail.purpose)
    kind = KIND_OF_TYPE[detail.type]
    if detail.purpose not in registered or purpose is None or kind not in purpose.kinds:  # 3
        raise DetailsRefused("the purpose is not registered for this type")
    given = sum(map(bool, (detail.contents, detail.documents, detail.batch)))
    if given > 1 or (given == 0 and detail.type == SIGN):  # 4
        raise DetailsRefused("contents, documents or a batch")
    _check_contents(detail)  # 5
    return [msgspec.to_builtins(detail)]


def detail_of(details: list[dict[str, Any]]) -> Detail:
    """The element that :func:`parse_authorization_details` took."""
    return msgspec.convert(details[0], Detail)


def order_of(detail: Detail) -> list[ContentOrder]:
    """Its contents as a session order has them."""
    return [ContentOrder(**msgspec.structs.asdict(each)) for each in detail.contents]


def details_for(grant: Grant, answered: Answered) -> list[dict[str, Any]] | None:
    """The member of the token answer and of introspection, the same in both (RFC 9396 §7.1, §9.2): each element
    with the receipt that it brought, until its consent is taken back; None when nothing was asked.
    """
    asked = grant.asked.authorization_details
    if not asked:
        return None
    result = {"receipt": answered.receipt} if answered.receipt else {}
    return [element | result for element in asked]


def _array(text: str) -> list[Any]:
    try:
        # One object around it: the parser that refuses duplicate names reads objects.
        wrapped = parse_object(b'{"a":' + text.encode() + b"}", limit=PARAMETER_LIMIT)
    except (InkanError, UnicodeEncodeError):
        raise DetailsRefused("no JSON array of objects with unique names") from None
    elements = wrapped.get("a")
    if not isinstance(elements, list) or set(wrapped) != {"a"}:
        raise DetailsRefused("a JSON array")
    return elements


def _check_contents(detail: Detail) -> None:
    if not detail.contents:
        return
    contents = [
        Content(
            id=each.id,
            name=each.name,
            digest=each.digest,
            alg=each.alg,
            format=ContentFormat.STATEMENT,
            tbs_sha256=None,
        )
        for each in detail.contents
    ]
    flaw = contents_flaw(KIND_OF_TYPE[detail.type], contents)
    if flaw is not None:
        raise DetailsRefused(f"{flaw.where}: {flaw.expected}")
