"""The inbox: a notice is written once for each of its readers, and rendered when it is read."""

from inkan.kernel.ids import new_id
from inkan.kernel.sensitive import Personal
from inkan.notices import store
from inkan.notices.model import Notice, Template
from inkan.notices.rules import render, verify_facts
from inkan.notices.service.parts import Facts, Parts
from inkan.store.database import MOMENT, Step
from inkan.web.languages import Language


def write_notice(parts: Parts, recipient: str, template: Template, facts: Facts) -> Step[str]:
    """Step: put a notice into the inbox of one recipient and return its id.

    Raises:
        ValueError: other facts than the template names, a mistake of the program.
    """
    verify_facts(template, facts)
    notice_id = new_id("ntc")
    yield store.INSERT_NOTICE.run(
        id=notice_id,
        recipient=recipient,
        template=template,
        facts=parts.seal_facts(notice_id, facts),
        created_at=(yield MOMENT),
    )
    return notice_id


def read_inbox(parts: Parts, recipient: str, language: Language) -> Step[list[Notice]]:
    """Step: the newest notices of a recipient in one language."""
    rows = yield store.INBOX.all(recipient_id=recipient)
    notices = []
    for row in rows:
        rendered = render(row.template, parts.open_facts(row), parts.formats[language])
        notices.append(
            Notice(
                id=row.id,
                template=row.template,
                title=rendered.title,
                text=Personal(rendered.text),
                created_at=row.created_at,
            )
        )
    return notices
