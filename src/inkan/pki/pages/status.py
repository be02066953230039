"""Whether a certificate is still valid, by authority and serial number or by the certificate itself (JPKI-27, JPKI-35).

Asked by POST, so that no address or history holds a serial number. The answer has the same form for every serial
number that was not issued, whatever the reason.
"""

from typing import Any, Final

from inkan.crypto.serial_numbers import parse_typed_serial, show_serial
from inkan.kernel.errors import InkanError
from inkan.pki.pages.parts import CHECKING, FILE_FIELD, answer, form, page, sent_certificate, told
from inkan.pki.pages.texts import REASONS, STATES
from inkan.pki.service.showing import SerialState, Showing
from inkan.web.exchange import Exchange
from inkan.web.response import Response
from inkan.web.routes import Group, Surface
from inkan.web.uploads import Upload, read_upload

PATH: Final = "/certificates/status"


def routes(showing: Showing) -> Group:
    """Ask, and the answer."""

    async def ask(exchange: Exchange) -> Response:
        return _page(exchange, showing)

    async def tell(exchange: Exchange) -> Response:
        upload = await read_upload(exchange)
        by_file = bool(upload.files.get(FILE_FIELD))
        try:
            state = await _state(showing, upload, by_file=by_file)
        except InkanError as refusal:
            return _page(exchange, showing, upload, refusal=told(refusal), by_file=by_file)
        return _page(exchange, showing, upload, state=state, by_file=by_file, asked=True)

    return Group(
        surface=Surface.PAGES,
        limit=CHECKING,
        bare={("GET", PATH): page(ask), ("POST", PATH): form(tell)},
    )


async def _state(showing: Showing, upload: Upload, *, by_file: bool) -> SerialState | None:
    if by_file:
        return await showing.state_of_file(sent_certificate(upload))
    serial = parse_typed_serial(upload.fields.get("serial", ""))
    return await showing.state(upload.fields.get("authority", ""), serial)


def _page(
    exchange: Exchange,
    showing: Showing,
    upload: Upload | None = None,
    *,
    state: SerialState | None = None,
    asked: bool = False,
    refusal: InkanError | None = None,
    by_file: bool = False,
) -> Response:
    fields = upload.fields if upload is not None else {}
    facts: dict[str, Any] = {
        "issuers": showing.issuers(),
        "authority": fields.get("authority", ""),
        "typed": fields.get("serial", "") if refusal is not None else "",
        "state": state,
        "serial": show_serial(state.serial) if state is not None else "",
        "asked": asked,
        "by_file": by_file,
        "states": STATES,
        "reasons": REASONS,
        "action": PATH,
    }
    return answer(exchange, "pki/status.html", refusal, **facts)
