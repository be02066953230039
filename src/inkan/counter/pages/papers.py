"""The papers of a case: which there are, and the files to print (JPKI-21, JPKI-22, JPKI-25)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from inkan.counter.model import Case, CaseKind, CaseState, CaseUnknown
from inkan.counter.pages.parts import CASE_PATH, CASES_PATH, accepted_at, group, on_duty
from inkan.counter.service import Counter
from inkan.counter.service.papers import Papers
from inkan.web.exchange import Exchange
from inkan.web.languages import Language, find_language
from inkan.web.principal import Access
from inkan.web.response import Response
from inkan.web.routes import Bare, Group

PAPERS: Final[Mapping[tuple[CaseKind, CaseState], tuple[str, ...]]] = {
    **{(kind, CaseState.OPENED): ("application-form",) for kind in CaseKind},
    (CaseKind.ISSUE, CaseState.WRITTEN): ("copy", "handbook"),
    (CaseKind.ISSUE, CaseState.DONE): ("copy", "handbook"),
    (CaseKind.REVOKE, CaseState.DONE): ("acceptance-notice",),
}
"""What is printed where a case stands."""

TITLES: Final[Mapping[str, str]] = {
    "copy": "Copy of the certificates",
    "handbook": "Handbook",
    "acceptance-notice": "Acceptance notice",
    "application-form": "Application form",
}

Print = Callable[..., Awaitable[bytes]]


def _prints(papers: Papers) -> dict[str, Print]:
    return {
        "copy": papers.copy,
        "handbook": papers.handbook,
        "acceptance-notice": papers.acceptance_notice,
        "application-form": papers.application_form,
    }


def links(case: Case) -> list[dict[str, Any]]:
    """The papers that can be printed now, each in the languages that a person may read."""
    return [
        {
            "title": TITLES[name],
            "paths": [
                (language, f"{CASES_PATH}/{case.id}/{name}?in={language}") for language in Language
            ],
        }
        for name in PAPERS.get((case.kind, case.state), ())
    ]


def routes(counter: Counter) -> Group:
    """The files."""

    async def print_paper(exchange: Exchange) -> Response:
        clerk = await on_duty(counter, exchange)
        case = await counter.cases.get(clerk, exchange.parameters["id"])
        name = exchange.parameters["paper"]
        if name not in PAPERS.get((case.kind, case.state), ()):
            raise CaseUnknown
        pdf = await _prints(counter.papers)[name](
            clerk,
            case,
            office=await counter.offices.office(case.office),
            language=find_language(exchange.query("in")) or exchange.language,
            at=await accepted_at(counter, case) or exchange.now,
        )
        reply = Response(200, pdf, media_type="application/pdf")
        return reply.with_header("content-disposition", f'attachment; filename="{name}.pdf"')

    return group(
        counter.parts.accounts,
        {
            ("GET", f"{CASE_PATH}/{{paper}}"): Bare(
                endpoint=print_paper, access=Access("counter.act")
            )
        },
    )
