"""The tables for a wallet in a browser: everything that texts and drafts need, and nothing twice."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from inkan.wire.binding import StatementDoor
from inkan.wire.claims import Claim
from inkan.wire.forms import UnsafeText, verify_line
from inkan.wire.shown import LABELS, WORDINGS, Language, Template
from inkan.wire.wallet_tables import wallet_tables

LANGUAGES = {str(lang) for lang in Language}


def test_every_text_is_there_in_every_language() -> None:
    tables = wallet_tables()
    assert set(tables["labels"]) == LANGUAGES
    assert set(tables["wordings"]) == set(tables["kinds"]) == {str(each) for each in Template}
    assert set(tables["started"]) == {str(door) for door in StatementDoor}
    assert set(tables["claims"]) == {str(claim) for claim in Claim}
    for table in ("wordings", "started", "claims"):
        assert all(set(by_lang) == LANGUAGES for by_lang in tables[table].values())


def test_texts_are_those_of_the_platform() -> None:
    tables = wallet_tables()
    assert tables["labels"]["ja"]["closing"] == LABELS[Language.JA].closing
    effect = WORDINGS[Template.SIGN_V1][Language.EN].effect
    assert tables["wordings"]["sign.v1"]["en"]["effect"] == effect


def test_the_tables_are_json() -> None:
    tables = wallet_tables()
    assert json.loads(json.dumps(tables)) == tables


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=220))
def test_forms_are_those_of_the_platform(text: str) -> None:
    form = wallet_tables()["forms"]["name"]
    pattern = form["pattern"].removesuffix("$") + r"\Z"
    try:
        verify_line(text)
    except UnsafeText:
        assert re.match(pattern, text) is None or len(text) > form["max"]
    else:
        assert re.match(pattern, text) is not None
        assert len(text) <= form["max"]
