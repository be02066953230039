"""Reading a session while it is answered: never an answer without what belongs to it."""

import msgspec
import pytest

from inkan.identification.service import parts as module
from inkan.wire.session import Outcome
from support.world import World


@pytest.mark.race
async def test_an_answer_between_the_two_reads_is_read_whole(world: World, phone, monkeypatch):
    agency = await world.agency()
    session = await world.identify(agency, phone)
    read, seen = module.read_session, []

    def older_at_first(row):
        found = read(row)
        if not seen:  # the row as it stood before the answer, read before the approval was
            found = msgspec.structs.replace(found, result=None, receipt_payload=None)
        seen.append(found)
        return found

    monkeypatch.setattr(module, "read_session", older_at_first)
    view = await session.refresh()
    assert view.outcome is Outcome.OK
    assert view.subject is not None
    assert view.binding is not None
    assert len(seen) == 2
