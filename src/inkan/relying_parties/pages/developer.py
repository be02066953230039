"""The applicant's pages: fill in step by step, download what is to be sealed, send the seal, hand it over."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from inkan.accounts import Login
from inkan.crypto import jcs, oids
from inkan.kernel.errors import InkanError
from inkan.relying_parties.model.application import (
    Application,
    ApplicationIncomplete,
    ApplicationNotFound,
    ApplicationState,
    Draft,
    WantedSystem,
)
from inkan.relying_parties.pages import forms
from inkan.relying_parties.pages.parts import FORM_LIMIT, answer, group, login_of, number, told
from inkan.relying_parties.rules import ELIGIBLE, newest_consent
from inkan.relying_parties.service import Applications, documents
from inkan.web.exchange import Exchange
from inkan.web.principal import Access
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Endpoint, Group
from inkan.web.uploads import Upload, read_upload

HOME: Final = "/developer"
BEGIN: Final = "/developer/applications"
ONE: Final = "/developer/applications/{application}"
_APPLY: Final = Access("developer.apply")
_STEPS: Final = ("Organisation", "Systems", "Contacts", "Documents", "Seal", "Review")

Act = Callable[[Application, Login, Upload], Awaitable[object]]
Change = Callable[[Draft, Upload], Draft]


class Pages:
    """The endpoints of these pages."""

    def __init__(self, applications: Applications) -> None:
        self._applications = applications

    async def home(self, exchange: Exchange) -> Response:
        """One's applications and systems."""
        login = await login_of(exchange)
        return answer(
            exchange,
            "relying_parties/developer.html",
            applications=await self._applications.own(by=login),
            systems=await self._applications.own_systems(by=login),
            is_sandbox=self._applications.is_sandbox,
        )

    async def begin(self, exchange: Exchange) -> Response:
        """A new application."""
        begun = await self._applications.begin(by=await login_of(exchange))
        return see_other(f"{BEGIN}/{begun.id}")

    async def show(self, exchange: Exchange) -> Response:
        """One application with its forms."""
        return self._page(exchange, await self._read(exchange))

    async def show_system(self, exchange: Exchange) -> Response:
        """The form of one system; ``new`` for one that is not there yet."""
        return self._system_page(exchange, await self._read(exchange))

    async def document(self, exchange: Exchange) -> Response:
        """A document: the bytes that are hashed or sealed (``.json``), or the page to be printed."""
        application = await self._read(exchange)
        name = exchange.parameters["document"]
        if not application.form_sha256:
            raise ApplicationNotFound()
        if name == "seal.json":
            return _download(documents.seal_content(application), name)
        issuer = self._applications.issuer
        makers = {"form": documents.form, "consent": documents.consent}
        kind, _, ending = name.partition(".")
        if kind not in makers or ending not in {"", "json"}:
            raise ApplicationNotFound()
        content = makers[kind](application, issuer=issuer)
        if ending:
            return _download(jcs.canonical(content), name)
        digest = application.form_sha256 if kind == "form" else application.consent_sha256
        return answer(
            exchange,
            "relying_parties/document.html",
            document=content,
            kind=kind,
            digest=digest,
            sealed=application.seal,
            back=f"{BEGIN}/{application.id}",
        )

    def edits(self, change: Change) -> Endpoint:
        """The target of a form that changes the draft."""

        async def act(application: Application, login: Login, upload: Upload) -> object:
            draft = change(application.draft, upload)
            seen = number(upload.fields, "version")
            return await self._applications.edit(application.id, draft, by=login, seen=seen)

        return self.acts(act)

    def acts(self, act: Act) -> Endpoint:
        """The target of a form; a refusal is told on the application's own page."""

        async def endpoint(exchange: Exchange) -> Response:
            application, upload = await self._read(exchange), await read_upload(exchange)
            try:
                await act(application, await login_of(exchange), upload)
            except InkanError as refusal:
                return self._page(exchange, application, told(refusal), upload.fields)
            return see_other(f"{BEGIN}/{application.id}")

        return endpoint

    async def keep_system(self, exchange: Exchange) -> Response:
        """The form of one system, or of one more purpose of it; a refusal is told beside what was typed."""
        application, upload = await self._read(exchange), await read_upload(exchange)
        code = exchange.parameters["code"]
        try:
            changed = _changed_system(application.draft, code, upload)
            await self._applications.edit(
                application.id,
                forms.with_system(application.draft, code, changed),
                by=await login_of(exchange),
                seen=number(upload.fields, "version"),
            )
        except InkanError as refusal:
            return self._system_page(exchange, application, told(refusal), upload.fields)
        return see_other(f"{BEGIN}/{application.id}/systems/{changed.code}")

    async def complete(self, application: Application, login: Login, upload: Upload) -> object:
        """Accept the consent text and make the documents."""
        if not upload.fields.get("consent"):
            raise ApplicationIncomplete(where="/consent", expected="the consent")
        seen = number(upload.fields, "version")
        draft = msgspec.structs.replace(application.draft, consent=newest_consent().edition)
        kept = await self._applications.edit(application.id, draft, by=login, seen=seen)
        return await self._applications.complete(kept.id, by=login, seen=kept.version)

    async def seal(self, application: Application, login: Login, upload: Upload) -> object:
        """Take the seal in."""
        return await self._applications.seal(
            application.id,
            upload.files.get("seal", b""),
            by=login,
            seen=number(upload.fields, "version"),
        )

    async def submit(self, application: Application, login: Login, upload: Upload) -> object:
        """Hand the application over."""
        seen = number(upload.fields, "version")
        return await self._applications.submit(application.id, by=login, seen=seen)

    async def _read(self, exchange: Exchange) -> Application:
        login = await login_of(exchange)
        return await self._applications.application(exchange.parameters["application"], by=login)

    def _page(
        self,
        exchange: Exchange,
        application: Application,
        refusal: InkanError | None = None,
        typed: Any = None,
    ) -> Response:
        return answer(
            exchange,
            "relying_parties/application.html",
            refusal,
            application=application,
            draft=application.draft,
            typed=typed or {},
            path=f"{BEGIN}/{application.id}",
            steps=_STEPS,
            step=_step_of(application),
            consent=newest_consent(),
            eligible=sorted(ELIGIBLE[application.draft.scheme].sectors),
            content_type=oids.CONTENT_SEAL,
            home=HOME,
        )

    def _system_page(
        self,
        exchange: Exchange,
        application: Application,
        refusal: InkanError | None = None,
        typed: Any = None,
    ) -> Response:
        code = exchange.parameters["code"]
        found = [each for each in application.draft.systems if each.code == code]
        if not found and code != "new":
            raise ApplicationNotFound()
        return answer(
            exchange,
            "relying_parties/wanted_system.html",
            refusal,
            application=application,
            system=found[0] if found else None,
            typed=typed or {},
            keys=_shown_keys(found),
            path=f"{BEGIN}/{application.id}/systems/{code}",
            back=f"{BEGIN}/{application.id}",
            kinds=forms.KINDS,
            languages_of_text=forms.LANGUAGES,
        )


def routes(applications: Applications) -> Group:
    """The pages of an applicant."""
    pages = Pages(applications)

    def get(endpoint: Endpoint) -> Bare:
        return Bare(endpoint=endpoint, access=_APPLY)

    def post(endpoint: Endpoint) -> Bare:
        return Bare(endpoint=endpoint, access=_APPLY, body_limit=FORM_LIMIT)

    return group(
        applications.accounts,
        {
            ("GET", HOME): Bare(endpoint=pages.home, access=Access("developer.enter")),
            ("POST", BEGIN): post(pages.begin),
            ("GET", ONE): get(pages.show),
            ("POST", f"{ONE}/organisation"): post(pages.edits(_with_organisation)),
            ("POST", f"{ONE}/contacts"): post(pages.edits(_with_contact)),
            ("POST", f"{ONE}/remove"): post(pages.edits(_without)),
            ("GET", f"{ONE}/systems/{{code}}"): get(pages.show_system),
            ("POST", f"{ONE}/systems/{{code}}"): post(pages.keep_system),
            ("POST", f"{ONE}/complete"): post(pages.acts(pages.complete)),
            ("GET", f"{ONE}/documents/{{document}}"): get(pages.document),
            ("POST", f"{ONE}/seal"): post(pages.acts(pages.seal)),
            ("POST", f"{ONE}/submit"): post(pages.acts(pages.submit)),
        },
    )


def _with_organisation(draft: Draft, upload: Upload) -> Draft:
    return msgspec.structs.replace(draft, organisation=forms.organisation(upload.fields))


def _with_contact(draft: Draft, upload: Upload) -> Draft:
    return msgspec.structs.replace(
        draft, contacts=[*draft.contacts[:4], forms.contact(upload.fields)]
    )


def _without(draft: Draft, upload: Upload) -> Draft:
    """The draft without the system or the contact that the form names."""
    gone = upload.fields
    return msgspec.structs.replace(
        draft,
        systems=[each for each in draft.systems if each.code != gone.get("system")],
        contacts=[each for each in draft.contacts if each.mail != gone.get("contact")],
    )


def _changed_system(draft: Draft, code: str, upload: Upload) -> WantedSystem:
    """The system that the form of a system or of a purpose makes."""
    old = next((each for each in draft.systems if each.code == code), None)
    if old is None or "purpose" not in upload.fields:
        made = forms.system(upload.fields, old.purposes if old else [])
        return msgspec.structs.replace(made, openid=old.openid if old else None)
    named = upload.fields["purpose"]
    kept = [each for each in old.purposes if each.code != named]
    if not upload.fields.get("remove"):
        kept.append(forms.purpose(upload.fields))
    return msgspec.structs.replace(old, purposes=kept)


def _shown_keys(found: list[WantedSystem]) -> str:
    keys = found[0].keys if found else []
    return msgspec.json.format(msgspec.json.encode({"keys": keys})).decode() if keys else ""


def _step_of(application: Application) -> int:
    """How far an application has come, as an index of its steps."""
    draft = application.draft
    match application.state:
        case ApplicationState.SEALED | ApplicationState.IN_REVIEW:
            return 5
        case ApplicationState.APPROVED | ApplicationState.REFUSED:
            return len(_STEPS)
        case _ if application.form_sha256:
            return 4
        case _:
            there = [draft.organisation is not None, bool(draft.systems), bool(draft.contacts)]
            return there.index(False) if False in there else 3


def _download(content: bytes, name: str) -> Response:
    response = Response(200, content, media_type="application/json")
    return response.with_header("content-disposition", f'attachment; filename="{name}"')
