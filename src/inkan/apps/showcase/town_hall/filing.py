"""From an empty form to a filed one: the draft that is shown and signed, the checks on receipt, the receipt."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import msgspec

from inkan.apps.showcase.town_hall import store
from inkan.apps.showcase.town_hall.checks import Cause, Checked, Checks, SubmissionRefused
from inkan.apps.showcase.town_hall.forms import FORMS, Form
from inkan.crypto import base64url, jcs
from inkan.kernel.clock import Clock, rfc3339
from inkan.kernel.ids import is_id, new_id, random_bytes, random_digits
from inkan.store.database import Database, Step
from inkan.wire.card_request import (
    FormField,
    SubmissionContent,
    content_bytes,
    parse_submission,
)

DRAFT_LIFE: Final = timedelta(minutes=30)
SHOWN_MOST: Final = 50
_PREFIX: Final = "drf"


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A form that waits for its signature.

    Attributes:
        id: names it in addresses.
        form: its row.
        bytes: the content as the card signs it.
        content: the same, read.
        number: under which it was filed, or None.
    """

    id: str
    form: Form
    bytes: bytes
    content: SubmissionContent
    number: str | None


class Filed(msgspec.Struct, frozen=True, kw_only=True):
    """A form that was taken.

    Attributes:
        number: its own, ``20261122-10482337``.
        received_at: the moment for which its certificate was checked.
        content: what was signed.
        cms: DER of the whole signed message, with the certificate.
        cms_sha256, signer_sha256: 32 bytes.
        path: subjects from the certificate to the town hall's own root.
    """

    number: str
    form: Form
    received_at: datetime
    content: SubmissionContent
    cms: bytes
    cms_sha256: bytes
    signer_sha256: bytes
    path: tuple[str, ...]

    @property
    def members(self) -> Mapping[str, Any]:
        """The receipt as it is given out: number, moment, and the hashes of what was received."""
        return {
            "number": self.number,
            "received_at": rfc3339(self.received_at),
            "form": self.form.code,
            "nonce": self.content.nonce,
            "submission_sha256": self.cms_sha256.hex(),
            "certificate_sha256": self.signer_sha256.hex(),
        }

    @property
    def receipt(self) -> bytes:
        """The receipt's canonical bytes (RFC 8785)."""
        return jcs.canonical(self.members)

    @property
    def sha256(self) -> str:
        """The receipt's own hash, by which a copy of it is compared."""
        return sha256(self.receipt).hexdigest()


class Filing:
    """The use cases of the town hall.

    Args:
        db: the town hall's own database, open.
        checks: what is asked of a form.
        origin: under which the town hall stands; audience and origin of everything that is signed for it.
        clock: true time.
    """

    def __init__(self, db: Database, checks: Checks, *, origin: str, clock: Clock) -> None:
        self._db = db
        self._checks = checks
        self._origin = origin
        self._clock = clock

    async def begin(
        self, form: Form, title: str, fields: tuple[FormField, ...], *, browser: str
    ) -> str:
        """Make what a person is going to sign; returns the draft's id.

        Args:
            form: the row.
            title: of the form, as the person read it.
            fields: as :func:`.forms.read` gave them.
            browser: the token of the browser's cookie; nobody else sees the draft.
        """
        now = self._clock.now()
        content = SubmissionContent(
            aud=self._origin,
            origin=self._origin,
            nonce=base64url.encode(random_bytes(32)),
            form=form.code,
            title=title,
            fields=fields,
            at=rfc3339(now.replace(microsecond=0)),
        )
        row = {
            "id": new_id(_PREFIX),
            "browser_sha256": _hashed(browser),
            "form": form.code,
            "content": content_bytes(content),
            "expires_at": now + DRAFT_LIFE,
            "number": None,
        }
        await self._db.transact(_keep, row)
        return str(row["id"])

    async def draft(self, draft_id: str, *, browser: str | None) -> Draft | None:
        """The draft of this browser; None when there is none of this name, or it is another browser's."""
        if not browser or not is_id(draft_id, _PREFIX):
            return None
        row = await self._db.read(_find, draft_id, _hashed(browser))
        if row is None:
            return None
        return Draft(
            id=row.id,
            form=FORMS[row.form],
            bytes=row.content,
            content=parse_submission(row.content),
            number=row.number,
        )

    async def send(self, draft: Draft, cms: bytes, *, browser: str) -> Filed:
        """Check a form on receipt and file it; the same message sent again gets the same receipt.

        Raises:
            SubmissionRefused: nothing was filed.
        """
        at = self._clock.now()
        checked = await self._checks.check(cms, shown=draft.bytes, form=draft.form, at=at)
        row = _row(draft, cms, checked, browser=browser, at=at)
        return _filed(await self._db.transact(_file, row))

    async def filed(self, number: str, *, browser: str | None) -> Filed | None:
        """The form that this browser filed under a number."""
        row = await self._db.read(_find_filed, number, _hashed(browser)) if browser else None
        return None if row is None else _filed(row)

    async def list(self, *, browser: str | None) -> list[tuple[str, Form, datetime]]:
        """Number, form and moment of receipt of what this browser filed, newest first."""
        rows = await self._db.read(_list, _hashed(browser)) if browser else []
        return [(row.number, FORMS[row.form], row.received_at) for row in rows]


def _row(
    draft: Draft, cms: bytes, checked: Checked, *, browser: str, at: datetime
) -> dict[str, Any]:
    return {
        "number": f"{at:%Y%m%d}-{random_digits(8)}",
        "draft": draft.id,
        "browser_sha256": _hashed(browser),
        "form": draft.form.code,
        "content": draft.bytes,
        "cms": cms,
        "cms_sha256": sha256(cms).digest(),
        "signer_sha256": checked.signer_sha256,
        "path": "\n".join(checked.path),
        "received_at": at,
    }


def _filed(row: Any) -> Filed:
    return Filed(
        number=row.number,
        form=FORMS[row.form],
        received_at=row.received_at,
        content=parse_submission(row.content),
        cms=row.cms,
        cms_sha256=row.cms_sha256,
        signer_sha256=row.signer_sha256,
        path=tuple(row.path.split("\n")),
    )


def _hashed(browser: str) -> bytes:
    return sha256(browser.encode()).digest()


def _keep(row: dict[str, Any]) -> Step[None]:
    yield store.FORGET_DRAFTS.run()
    yield store.INSERT_DRAFT.run(**row)


def _find(draft_id: str, browser: bytes) -> Step[Any]:
    return (yield store.DRAFT.one(id=draft_id, browser=browser))


def _find_filed(number: str, browser: bytes) -> Step[Any]:
    return (yield store.FILED.one(number=number, browser=browser))


def _list(browser: bytes) -> Step[Any]:
    return (yield store.LIST_FILED.all(browser=browser, limit=SHOWN_MOST))


def _file(row: dict[str, Any]) -> Step[Any]:
    """Use the nonce and file the form, both or neither."""
    taken = yield store.TAKE_DRAFT.run(draft=row["draft"], taken=row["number"])
    if taken:
        yield store.INSERT_FILED.run(**row)
    found = yield store.FILED_OF_DRAFT.one(draft=row["draft"])
    if found is None or found.cms_sha256 != row["cms_sha256"]:
        raise SubmissionRefused(Cause.OVER)
    return found
