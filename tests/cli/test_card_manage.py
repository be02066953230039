"""``inkan card manage`` and ``inkan card agent serve``: real processes, through their own input, output and socket."""

import http.client
import json
import os
import re
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from client.card_kinds import wait_for_card
from inkan.cli.card import command
from inkan.client.card_agent.configuration import Configuration, text
from inkan.client.card_agent.installing import callers
from inkan.client.card_agent.native_host import frame, read_frame
from inkan.client.card_manager import TerminalKeys
from inkan.client.card_manager.configuration import ManagerConfigurationMalformed
from inkan.client.card_manager.opening import KEYS
from inkan.client.durable_file import FileExists, FileMissing
from inkan.client.pcsc import PCSC
from inkan.client.piv_card import PivCard
from inkan.client.piv_layout import KeyUse
from inkan.kernel.sensitive import Secret
from inkan.wire.card_command import CardAct
from support import vpcd
from support.pinentry import ScriptedPinentry
from support.terminals import ORIGIN, PINS, Terminal, new_card, some_secrets

INKAN = [sys.executable, "-P", "-c", "from inkan.cli import main; main()"]
CALLER = min(callers())
LIMIT = 1 << 20


def manage(*words: object):
    return CliRunner().invoke(command, ["manage", *map(str, words)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "manage"


@pytest.fixture
def home(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def terminal(home: Path, folder: Path) -> Terminal:
    """A terminal whose keys the command made, and a platform that gives it commands."""
    assert manage("keys", "--folder", folder).exit_code == 0
    return Terminal(home / "platform", keys=TerminalKeys.read(folder / KEYS))


@pytest.fixture
def pinentry(home: Path) -> ScriptedPinentry:
    return ScriptedPinentry(home / "pinentry")


@pytest.fixture
def program(home: Path, folder: Path, terminal: Terminal, pinentry: ScriptedPinentry) -> Path:
    """The launcher that a browser starts, as installed."""
    pinned = home / "manager.json"
    pinned.write_bytes(msgspec.json.encode(terminal.configuration))
    done = manage("install", pinned, "--folder", folder, "--pinentry", pinentry.program)
    assert done.exit_code == 0, done.output
    assert done.output == f"The card program serves {ORIGIN} as term_1.\n"
    hosts = home / ".config/chromium/NativeMessagingHosts"
    return Path(json.loads((hosts / "org.inkan.card.manage.json").read_text())["path"])


class Browser:
    """What a browser does with the program: frames in, frames out."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._number = 0

    def ask(self, asked: str, origin: str = ORIGIN, **members: object) -> dict:
        self._number += 1
        request = {"id": self._number, "command": asked, **members}
        wrapped = json.dumps({"origin": origin, "request": request}).encode()
        self._process.stdin.write(frame(wrapped))
        self._process.stdin.flush()
        heard = json.loads(read_frame(self._process.stdout, LIMIT))
        assert heard["id"] == self._number
        return heard


@contextmanager
def browser(program: Path):
    """The program at work; it ends with its input."""
    with subprocess.Popen(
        [program, CALLER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ
    ) as process:
        try:
            yield Browser(process)
            process.stdin.close()
            assert process.wait(20) == 0
        finally:
            process.kill()


# --- keys, install -------------------------------------------------------------------------------


def test_keys_are_made_once_and_only_their_public_halves_are_printed(folder: Path) -> None:
    done = manage("keys", "--folder", folder)
    assert done.exit_code == 0, done.output
    printed = json.loads(done.output)
    assert printed == TerminalKeys.read(folder / KEYS).public()
    assert not any("d" in key for key in printed["keys"])
    assert stat.S_IMODE((folder / KEYS).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    before = (folder / KEYS).read_bytes()
    assert isinstance(manage("keys", "--folder", folder).exception, FileExists)
    assert (folder / KEYS).read_bytes() == before


def test_nothing_is_installed_without_keys_or_of_another_form(home: Path, folder: Path) -> None:
    pinned = home / "manager.json"
    pinned.write_text("{}")
    done = manage("install", pinned, "--folder", folder)
    assert isinstance(done.exception, ManagerConfigurationMalformed)
    pinned.write_bytes(msgspec.json.encode(Terminal(home / "platform").configuration))
    done = manage("install", pinned, "--folder", folder)
    assert isinstance(done.exception, FileMissing)
    assert not (home / ".config/chromium").exists()


def test_it_is_uninstalled_and_keys_and_configuration_stay(program: Path, folder: Path) -> None:
    kept = sorted(each.name for each in folder.iterdir())
    assert manage("uninstall").exit_code == 0
    assert not program.exists()
    assert sorted(each.name for each in folder.iterdir()) == kept
    assert manage("uninstall").exit_code == 0


# --- run -----------------------------------------------------------------------------------------


def test_it_answers_its_origin_and_no_other(program: Path, monkeypatch, home: Path) -> None:
    monkeypatch.setenv(vpcd.SOCKET_NAME, str(home / "no service"))
    with browser(program) as page:
        assert page.ask("hello")["answer"] == {"version": 1, "kind": "manage"}
        assert page.ask("look")["refusal"]["code"] == "card_service_missing"
        for asked in ("hello", "look"):
            heard = page.ask(asked, origin="https://evil.example")
            assert heard["refusal"]["code"] == "card_agent_origin_unlisted"
        assert page.ask("run", jws="no command")["refusal"]["code"] == "card_command_not_admitted"
        assert page.ask("sign")["refusal"]["code"] == "card_agent_malformed"


@pytest.mark.parametrize("caller", [[], ["chrome-extension://" + "a" * 32 + "/"]])
def test_only_the_extension_starts_it(program: Path, caller: list[str]) -> None:
    ran = subprocess.run([program, *caller], input=b"", capture_output=True, check=False)
    assert ran.returncode != 0
    assert ran.stdout == b""


@pytest.mark.parametrize("sent", [b"\xff\xff\xff\xff", b"\x02\x00\x00\x00{}", b"\x09\x00\x00\x00{"])
def test_bytes_that_are_no_frame_end_it_quietly(program: Path, sent: bytes) -> None:
    ran = subprocess.run([program, CALLER], input=sent, capture_output=True, check=False)
    assert b"Traceback" not in ran.stderr
    assert b"Traceback" not in ran.stdout


@pytest.mark.req("JPKI-30")
def test_a_card_in_a_real_reader_gets_keys_by_a_command_through_the_pipe(
    program: Path, terminal: Terminal, pinentry: ScriptedPinentry, card_service: vpcd.Service
) -> None:
    slot = vpcd.Slot(card_service)
    made = msgspec.structs.replace(some_secrets(), birth_date=date(1979, 5, 6))
    slot.insert(new_card(made))
    wait_for_card(present=True)
    signature, authentication = PINS[KeyUse.SIGNATURE], PINS[KeyUse.AUTHENTICATION]
    # Two that others would guess come first: the dialog asks again, and the step does not fail.
    pinentry.type("Wu1979", signature, signature, "0506", authentication, authentication)
    try:
        with browser(program) as page:
            looked = page.ask("look")["answer"]
            assert looked == {"card": made.card, "terminal": "term_1"}
            token = terminal.command(CardAct.MAKE_KEYS, made, key_spec="P-256")
            answer = terminal.read(page.ask("run", jws=token)["answer"]["answer"])
            assert set(answer.requests) == {"signature", "authentication"}
            again = page.ask("run", jws=token)["refusal"]
            assert again["code"] == "card_command_not_admitted"
        assert sum(line.startswith("SETERROR") for line in pinentry.told) == 2
        with PivCard(PCSC(), KeyUse.AUTHENTICATION) as card:
            card.verify_pin(Secret(authentication))
    finally:
        slot.pull()
        wait_for_card(present=False)


# --- serve ---------------------------------------------------------------------------------------


@contextmanager
def serving(configuration: Path, *options: object):
    """The loopback agent as a process: its port and its secret, as it shows them to the person."""
    words = ["card", "agent", "serve", "--configuration", configuration, "--port", "0", *options]
    with subprocess.Popen(
        [*INKAN, *map(str, words)], stdout=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        try:
            listens, typed = process.stdout.readline(), process.stdout.readline()
            yield int(re.search(r"127\.0\.0\.1:(\d+)", listens)[1]), typed.split()[-1]
            process.send_signal(signal.SIGINT)
            assert process.stdout.read() == "The card agent has ended.\n"
            assert process.wait(20) == 0
        finally:
            process.kill()


def post(port: int, secret: str, request: dict, **changed: str) -> tuple[int, dict]:
    headers = {
        "Origin": ORIGIN,
        "Content-Type": "application/json",
        "Authorization": f"Inkan-Card-Agent {secret}",
    }
    way = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    way.request("POST", "/v1", json.dumps(request).encode(), headers | changed)
    reply = way.getresponse()
    body = reply.read()
    way.close()
    return reply.status, json.loads(body) if body else {}


@pytest.fixture
def configuration(home: Path) -> Path:
    path = home / "card-agent.toml"
    path.write_text(text(Configuration(origins=(ORIGIN,), pinentry=("pinentry",))))
    path.chmod(0o600)
    return path


def test_the_loopback_agent_answers_who_knows_its_secret(configuration: Path) -> None:
    with serving(configuration) as (port, secret):
        asked = {"id": 1, "command": "hello"}
        status, heard = post(port, secret, asked)
        assert (status, heard) == (200, {"id": 1, "answer": {"version": 1, "kind": "use"}})
        _, heard = post(port, "AAAA-AAAA-AAAA-AAAA", asked)
        assert heard["refusal"]["code"] == "card_agent_unpaired"
        _, heard = post(port, secret, asked, Origin="https://evil.example")
        assert "answer" not in heard
        _, heard = post(port, secret, {"id": 2, "command": "look"})
        assert heard["refusal"]["code"] == "card_agent_malformed"


def test_every_start_has_a_secret_of_its_own(configuration: Path) -> None:
    with serving(configuration) as (_, first):
        pass
    with serving(configuration) as (_, second):
        assert first != second


def test_at_a_counter_it_serves_the_card_program_as_well(
    configuration: Path, program: Path, folder: Path, monkeypatch, home: Path
) -> None:
    monkeypatch.setenv(vpcd.SOCKET_NAME, str(home / "no service"))
    with serving(configuration, "--manage", folder) as (port, secret):
        _, heard = post(port, secret, {"id": 1, "command": "hello"})
        assert heard["answer"]["kind"] == "use"
        _, heard = post(port, secret, {"id": 2, "command": "look"})
        assert heard["refusal"]["code"] == "card_service_missing"
        _, heard = post(port, secret, {"id": 3, "command": "run", "jws": "no command"})
        assert heard["refusal"]["code"] == "card_command_not_admitted"


def test_a_list_that_others_may_write_serves_nobody(configuration: Path) -> None:
    configuration.chmod(0o666)
    words = ["card", "agent", "serve", "--configuration", str(configuration), "--port", "0"]
    ran = subprocess.run([*INKAN, *words], capture_output=True, check=False, timeout=60, text=True)
    assert ran.returncode != 0
    assert "listens" not in ran.stdout
