"""Commands and their answers: the page between platform and card program is believed in nothing (threat 6)."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from counter.desk import CHIP, ELSEWHERE, FEE, on_sqlite, refused
from counter.terminals import Page, blank_card, terminal_at
from inkan.client.guessable_pins import PINGuessable
from inkan.client.piv_card import PivCard
from inkan.client.piv_layout import CardObject, KeyUse
from inkan.counter.model import CaseKind
from inkan.crypto import base64url, jose, jwe
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.jose import Algorithm
from inkan.kernel.sensitive import Secret
from inkan.wire import card_command
from inkan.wire.card_command import CardAct
from support.keyring import ec_key
from support.terminals import PINS
from support.world import CITIZENS


@pytest.fixture
async def page(desk, tmp_path):
    terminal = await terminal_at(desk, tmp_path / "first")
    terminal.reader.insert(blank_card(desk))
    yield Page(desk, terminal)
    terminal.manager.close()


def payload(token: str) -> dict:
    return msgspec.json.decode(base64url.decode(token.split(".")[1]))


def forged(page, answer: str, *, key=None, **changed) -> str:
    """The answer with other members, signed by the terminal itself unless another key is named."""
    said = msgspec.convert({**payload(answer), **changed}, card_command.CardAnswer)
    return jose.sign_compact(
        card_command.ANSWER.encode(said),
        key or page.terminal.keys.sign,
        alg=Algorithm.ES256,
        typ=card_command.ANSWER_TYPE,
    )


@pytest.mark.req("JPKI-04")
@pytest.mark.req("JPKI-36")
async def test_a_card_is_made_by_commands(desk, page) -> None:
    case = await page.issue(await desk.identified())
    assert (case.state, case.card) == ("written", page.terminal.reader.applet.number.hex())
    await desk.cases.pay(desk.first, case.id, FEE)
    assert (await desk.cases.hand_over(desk.first, case.id)).state == "done"
    page.terminal.manager.close()
    anchors = set(desk.world.platform.pki.anchors())
    for use in KeyUse:
        with PivCard(page.terminal.reader, use) as card:
            card.verify_pin(Secret(PINS[use]))
            [held] = card.certificates()
            issued = await desk.world.platform.pki.certificate(case.certificates[use.value])
            assert (held.der, held.chain) == (issued.der, issued.chain)
            first = card.issuer_certificates()[0]
            assert first in anchors  # the self-signed one, whose thumbprint the handbook prints
            assert parse_certificate(held.chain[-1]).issuer == parse_certificate(first).subject
    events = await desk.world.events()
    assert events.count("counter.command_given") == 2


@pytest.mark.req("WAT-50")
async def test_a_photo_goes_into_the_card_if_one_is_given(desk, page) -> None:
    photo = b"\xff\xd8\xff" + bytes(range(256)) * 40
    case = await page.do(await desk.identified(), CardAct.MAKE_KEYS)
    case = await desk.cases.order(desk.first, case.id)
    for wrong in (b"GIF89a", photo * 2, b""):
        code = await refused(page.give(case, CardAct.WRITE, photo=wrong))
        assert code == "counter_entry_malformed"
    await page.do(case, CardAct.WRITE, photo=photo)
    page.terminal.manager.close()
    with PivCard(page.terminal.reader) as card:
        assert card.read_object(CardObject.PHOTO, Secret(PINS[KeyUse.SIGNATURE])) == photo


@on_sqlite
async def test_without_a_photo_the_card_holds_none(desk, page) -> None:
    await page.issue(await desk.identified())
    page.terminal.manager.close()
    with PivCard(page.terminal.reader) as card:
        assert card.read_object(CardObject.PHOTO, Secret(PINS[KeyUse.SIGNATURE])) is None


@pytest.mark.req("JPKI-31")
async def test_a_locked_pin_is_set_anew(desk, page) -> None:
    case = await page.issue(await desk.identified())
    await desk.cases.pay(desk.first, case.id, FEE)
    await desk.cases.hand_over(desk.first, case.id)
    page.terminal.reader.applet.pins[0x80].left = 0
    page.terminal.person.pins[KeyUse.SIGNATURE] = "Wieder88"
    case = await desk.identified(CaseKind.PIN)
    case = await page.do(case, CardAct.UNLOCK, keys=("signature",))
    assert case.state == "done"
    page.terminal.manager.close()
    with PivCard(page.terminal.reader) as card:
        card.verify_pin(Secret("Wieder88"))


async def test_no_secret_of_a_card_can_be_read_by_the_page(desk, page) -> None:
    case = await page.issue(await desk.identified())
    secrets = desk.counter.card_secrets.of(case.card)
    carried = "".join(str(payload(token)) for token in page.seen)
    assert secrets.unlock_key not in carried
    assert secrets.management_key not in carried
    assert not any(pin in carried for pin in PINS.values())
    sealed = payload(page.seen[0])["secrets"]
    with pytest.raises(jwe.JWENotForUs):
        jwe.decrypt(sealed, page.terminal.keys.sign, typ=card_command.SECRETS_TYPE)


@pytest.mark.req("JPKI-30")
@on_sqlite
async def test_the_birth_date_travels_sealed_and_only_where_pins_are_set(desk, page) -> None:
    case = await page.issue(await desk.identified())
    born = CITIZENS["chen"][1]
    told = {}
    for token in page.seen:
        said = payload(token)
        assert born.isoformat() not in str(said)
        if said.get("secrets"):
            opened = jwe.decrypt(
                said["secrets"], page.terminal.keys.agree, typ=card_command.SECRETS_TYPE
            )
            told[said["act"]] = card_command.SECRETS.parse(opened.reveal()).birth_date
    assert told == {"make_keys": born, "write": None}
    # A dialog that lets it through is not believed.
    await desk.cases.withdraw(desk.first, case.id)
    page.terminal.person.pins[KeyUse.AUTHENTICATION] = f"{born:%m%d}"
    with pytest.raises(PINGuessable):
        await page.do(await desk.identified(), CardAct.MAKE_KEYS)


@on_sqlite
async def test_the_command_says_everything_that_binds_it(desk, page) -> None:
    case = await desk.identified()
    token = await page.give(case, CardAct.MAKE_KEYS)
    said = payload(token)
    issuer = desk.world.platform.settings.origins.platform
    assert (said["iss"], said["origin"], said["case"]) == (issuer, issuer, case.id)
    assert said["card"] == page.terminal.reader.applet.number.hex()
    assert said["terminal"] == page.terminal.configuration.terminal
    header = msgspec.json.decode(base64url.decode(token.split(".")[0]))
    assert header["typ"] == "inkan-card-command+jws"
    assert page.terminal.configuration.key_of(header["kid"]) is not None


# --- which commands are given ----------------------------------------------------------------------


@on_sqlite
@pytest.mark.parametrize(
    ("state", "act"),
    [
        ("opened", CardAct.MAKE_KEYS),
        ("opened", CardAct.WRITE),
        ("keyed", CardAct.MAKE_KEYS),
        ("keyed", CardAct.WRITE),
        ("ordered", CardAct.UNLOCK),
        ("written", CardAct.CLEAR),
        ("written", CardAct.MAKE_KEYS),
        ("done", CardAct.LOOK),
    ],
)
async def test_an_act_has_its_step(desk, page, state, act) -> None:
    case = await desk.at(state, number=page.terminal.reader.applet.number.hex())
    assert await refused(page.give(case, act)) == "case_out_of_order"


@on_sqlite
async def test_the_terminal_stands_in_the_office_of_the_case(desk, page, tmp_path) -> None:
    case = await desk.identified()
    elsewhere = await terminal_at(desk, tmp_path / "elsewhere", office=ELSEWHERE.code)
    for name in (elsewhere.configuration.terminal, "term_unknown"):
        call = page.give(case, CardAct.MAKE_KEYS, terminal=name)
        assert await refused(call) == "terminal_unknown"
    await desk.counter.terminals.end(page.terminal.configuration.terminal)
    assert await refused(page.give(case, CardAct.MAKE_KEYS)) == "terminal_unknown"


@on_sqlite
async def test_a_clerk_of_another_office_gets_no_command(desk, page) -> None:
    case = await desk.identified()
    page.clerk = desk.other
    assert await refused(page.give(case, CardAct.MAKE_KEYS)) == "case_unknown"


@on_sqlite
@pytest.mark.parametrize("card", [None, "", "ABCDEF" * 5 + "12", "0" * 31, "0" * 33])
async def test_what_is_no_number_of_a_card_is_refused(desk, page, card) -> None:
    case = await desk.identified()
    assert await refused(page.give(case, CardAct.MAKE_KEYS, card=card)) == "card_number_unknown"


@on_sqlite
async def test_a_card_of_another_case_gets_no_command(desk, page) -> None:
    case = await desk.at("keyed")
    case = await desk.cases.order(desk.first, case.id)
    assert await refused(page.give(case, CardAct.WRITE)) == "card_taken"


# --- which answers are taken -----------------------------------------------------------------------


async def keyed_answer(desk, page):
    case = await desk.identified()
    return case, await page.run(await page.give(case, CardAct.MAKE_KEYS))


async def test_an_answer_is_taken_once(desk, page) -> None:
    case, answer = await keyed_answer(desk, page)
    await page.take(case, answer)
    assert await refused(page.take(case, answer)) == "card_answer_refused"


@pytest.mark.race
async def test_of_several_takers_of_one_answer_one_succeeds(desk, page) -> None:
    case, answer = await keyed_answer(desk, page)
    calls = [page.take(case, answer) for _ in range(4)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(not isinstance(each, Exception) for each in results) == 1


@on_sqlite
async def test_nobody_but_the_asked_terminal_answers(desk, page, tmp_path) -> None:
    case, answer = await keyed_answer(desk, page)
    other = await terminal_at(desk, tmp_path / "other")
    for wrong in (
        forged(page, answer, key=ec_key(3)),
        forged(page, answer, key=other.keys.sign),
        forged(page, answer, key=other.keys.sign, terminal=other.configuration.terminal),
        answer[:-8] + "AAAAAAAA",
    ):
        assert await refused(page.take(case, wrong)) == "card_answer_refused"
    assert (await page.take(case, answer)).state == "keyed"


@on_sqlite
@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": base64url.encode(bytes(32))},
        {"card": "ab" * 16},
        {"act": "write"},
        {"act": "look"},
        {"case": "case_of_somebody_else"},
        {"requests": {}},
    ],
)
async def test_an_answer_to_something_else_is_refused(desk, page, changed) -> None:
    case, answer = await keyed_answer(desk, page)
    assert await refused(page.take(case, forged(page, answer, **changed))) == "card_answer_refused"
    # The command still waits: whoever carries rubbish does not keep the right answer out.
    assert (await page.take(case, answer)).state == "keyed"


@on_sqlite
async def test_the_answer_comes_by_the_login_that_the_command_was_given_to(desk, page) -> None:
    case, answer = await keyed_answer(desk, page)
    assert await refused(page.take(case, answer, login="another")) == "card_answer_refused"


@on_sqlite
async def test_a_new_command_takes_the_place_of_the_one_before(desk, page) -> None:
    case, answer = await keyed_answer(desk, page)
    again = await page.give(case, CardAct.MAKE_KEYS)
    assert await refused(page.take(case, answer)) == "card_answer_refused"
    assert (await page.take(case, await page.run(again))).state == "keyed"


@on_sqlite
async def test_an_answer_comes_in_time(desk, page) -> None:
    case, answer = await keyed_answer(desk, page)
    desk.world.clock.advance(timedelta(minutes=13))
    assert await refused(page.take(case, answer)) == "card_answer_refused"


@on_sqlite
async def test_a_terminal_that_was_ended_answers_nothing(desk, page) -> None:
    case, answer = await keyed_answer(desk, page)
    await desk.counter.terminals.end(page.terminal.configuration.terminal)
    assert await refused(page.take(case, answer)) == "terminal_unknown"


@on_sqlite
async def test_a_terminal_that_is_ended_while_its_answer_is_read_answers_nothing(
    desk, page, monkeypatch
) -> None:
    case, answer = await keyed_answer(desk, page)
    db = desk.world.platform.db
    transact = db.transact

    async def late(step, *args, **named):
        monkeypatch.setattr(db, "transact", transact)
        await desk.counter.terminals.end(page.terminal.configuration.terminal)
        return await transact(step, *args, **named)

    monkeypatch.setattr(db, "transact", late)
    assert await refused(page.take(case, answer)) == "terminal_unknown"


@on_sqlite
@pytest.mark.parametrize("token", ["", "a.b.c", "..", "x" * 200_000, "e30.e30.AAAA"])
async def test_what_is_no_answer_is_refused(desk, page, token) -> None:
    case = await desk.identified()
    assert await refused(page.take(case, token)) == "card_answer_refused"


@on_sqlite
async def test_an_answer_after_the_case_was_withdrawn_is_refused(desk, page) -> None:
    case, answer = await keyed_answer(desk, page)
    await desk.cases.withdraw(desk.first, case.id)
    assert await refused(page.take(case, answer)) in {"card_answer_refused", "case_out_of_order"}


@on_sqlite
async def test_requests_that_are_not_proved_are_refused(desk, page) -> None:
    case, answer = await keyed_answer(desk, page)
    requests = payload(answer)["requests"]
    broken = base64url.decode(requests["signature"])
    bent = {**requests, "signature": base64url.encode(broken[:-4] + bytes(4))}
    code = await refused(page.take(case, forged(page, answer, requests=bent)))
    assert code in {"csr_signature_wrong", "csr_malformed"}


# --- interruptions ---------------------------------------------------------------------------------


async def test_keys_without_certificates_are_finished_after_the_card_was_out(desk, page) -> None:
    keyed = await page.do(await desk.identified(), CardAct.MAKE_KEYS)
    applet = page.terminal.reader.applet
    page.terminal.reader.pull()
    page.terminal.reader.insert(applet)
    ordered = await desk.cases.order(desk.first, keyed.id)
    assert (await page.do(ordered, CardAct.WRITE)).state == "written"


@on_sqlite
async def test_a_lost_answer_is_made_again(desk, page) -> None:
    """The card made keys, and nobody heard: a new command makes new ones, and nothing hangs on the old."""
    case, _lost = await keyed_answer(desk, page)
    assert (await page.issue(case)).state == "written"


@on_sqlite
async def test_a_card_that_was_left_written_is_cleared(desk, page) -> None:
    case = await page.issue(await desk.identified())
    await desk.cases.withdraw(desk.first, case.id)
    case = await desk.identified()
    await page.do(case, CardAct.CLEAR)
    page.terminal.manager.close()
    for use in KeyUse:
        with PivCard(page.terminal.reader, use) as card:
            assert card.certificates() == []


@on_sqlite
async def test_looking_leaves_the_case_alone(desk, page) -> None:
    case = await desk.identified()
    assert (await page.do(case, CardAct.LOOK, card=None)).state == "identified"


@on_sqlite
@pytest.mark.parametrize("kind", [CaseKind.PIN, CaseKind.REVOKE])
async def test_a_card_in_use_is_never_cleared(desk, page, kind) -> None:
    """Nor are its management and unlock keys given out for that, before anybody was identified or after."""
    case = await page.issue(await desk.identified())
    await desk.cases.pay(desk.first, case.id, FEE)
    await desk.cases.hand_over(desk.first, case.id)
    case = await desk.open(kind)
    assert await refused(page.give(case, CardAct.CLEAR)) == "case_out_of_order"
    case = await desk.cases.identify(desk.first, case.id, CHIP, None)
    assert await refused(page.give(case, CardAct.CLEAR)) == "case_out_of_order"
