"""The reference phone at the command line, against a running test country."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import click
import httpx
import pytest
from click.testing import CliRunner, Result

from inkan.apps.showcase.tax_office import tax_office
from inkan.cli.root import root
from inkan.client import (
    EnrolmentClient,
    SubjectHint,
    SyncRelyingParty,
    SystemCredentials,
    begin_return,
)
from inkan.demo.country import Country, country
from inkan.kernel.sensitive import Personal
from inkan.schemes import get_scheme
from inkan.web.server import Server
from support.ports import free_port
from support.thrift import thrift


class Served:
    """A test country with its tax office in a thread, as another program would be."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port(neighbours=1)
        self.office = f"http://taxoffice.localhost:{self.port + 1}"
        self.folder = folder
        self.country: Country
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(60)
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as failure:
            self._failure = failure
            self._ready.set()
            raise

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with country(self.folder, port=self.port) as self.country:
            office = tax_office(
                origin=self.office,
                credentials=self.country.credentials,
                anchors=self.country.anchors,
                clock=self.country.clock,
            )
            async with Server(office, port=self.port + 1).running():
                self._ready.set()
                await self._stop.wait()

    def rest(self) -> None:
        """Let the country do what is due."""
        asyncio.run_coroutine_threadsafe(self.country.instance.catch_up(), self._loop).result(10)

    @property
    def credentials(self) -> SystemCredentials:
        return self.country.credentials


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with thrift(), Served(tmp_path_factory.mktemp("served") / "home") as running:
        yield running


def phone(file: Path, *words: str, typed: str = "y\n", code: int = 0) -> Result:
    """Call ``inkan phone``; what is typed answers the questions."""
    arguments = ["phone", words[0], "--phone", str(file), *words[1:]]
    done = CliRunner(env={"INKAN_PHONE_PASSPHRASE": "my passphrase"}).invoke(
        root, arguments, input=typed, standalone_mode=False
    )
    if code == 0:
        assert done.exception is None, f"{done.exception!r} {done.output}"
    return done


def enrol(served: Served, file: Path, who: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    """Bind a phone; the person reads the digits from the phone and types them at the desk."""
    card = served.folder / "cards" / f"{who}.card"
    pin = served.country.citizens[who].part.pin
    said: list[str] = []

    def read(prompt: str, *_: object, **__: object) -> str:
        assert "digits" in prompt
        return next(line for line in said if "The phone shows" in line).split("shows")[1].strip()

    echo = __import__("click").echo
    monkeypatch.setattr(
        "click.echo", lambda text="", **more: (said.append(str(text)), echo(text, **more))[1]
    )
    monkeypatch.setattr("inkan.cli.phone.click.prompt", read)
    origin = f"http://id.localhost:{served.port}"
    options = ("--platform", origin, "--card", str(card), "--pin", pin)
    return phone(file, "enrol", *options)


def camera_of(served: Served, browser: httpx.Client) -> str:
    """Press the button at the tax office and read the camera's address off its page."""
    first = browser.get(served.office).text
    token = first.split('name="csrf_token" value="')[1].split('"')[0]
    headers = {"origin": served.office, "sec-fetch-site": "same-origin"}
    form = {"csrf_token": token, "purpose": "login", "national_id": ""}
    assert browser.post(served.office, data=form, headers=headers).status_code == 200
    return browser.get(f"{served.office}/visit").text.split("--camera ")[1].split("<")[0].strip()


@pytest.fixture
def agency(served: Served) -> Iterator[SyncRelyingParty]:
    with SyncRelyingParty(served.credentials, anchors=served.country.anchors) as client:
        yield client


def test_a_phone_is_bound_opened_and_answers(
    served: Served, agency: SyncRelyingParty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "my.phone"
    with monkeypatch.context() as patched:
        bound = enrol(served, file, "chen", patched)
    assert f"Bound. The phone lies in {file}." in bound.output
    assert file.stat().st_mode & 0o077 == 0

    session = agency.create_session("identify", purpose="login")
    shown = phone(file, "open", session.frame())
    assert "taxoffice.localhost" in shown.output
    assert phone(file, "approve").output.endswith("Approved.\n")
    assert session.wait(timeout_s=5).is_ok

    session = agency.create_session("identify", purpose="login")
    phone(file, "open", session.frame())
    assert "Refused." in phone(file, "refuse").output
    assert session.wait(timeout_s=5).reason == "user_refused"

    listed = phone(file, "list").output
    assert "reference phone" in listed
    assert "this one" in listed
    assert len([line for line in listed.splitlines() if " ok " in line]) == 1


def test_a_phone_opens_links_and_what_was_pushed(
    served: Served, agency: SyncRelyingParty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "doors.phone"
    with monkeypatch.context() as patched:
        enrol(served, file, "lin", patched)

    back, verifier = begin_return(served.country.return_url)
    session = agency.create_session("identify", purpose="login", doors=["web_link"], return_to=back)
    assert session.doors.web_link is not None
    assert "taxoffice" in phone(file, "open", "--link", session.doors.web_link.url).output
    approved = phone(file, "approve").output
    assert f"{served.country.return_url}?session={session.id}" in approved
    code = approved.split("return_code=")[1].split()[0]
    assert session.redeem(verifier, return_code=code).is_ok

    hint = SubjectHint(type="national_id", value=Personal("F112233444"))
    session = agency.create_session("identify", purpose="login", doors=["push"], subject_hint=hint)
    push = session.doors.push
    assert push is not None
    assert push.code is not None
    served.rest()
    listed = phone(file, "waiting").output
    assert "taxoffice.localhost" in listed
    approval = listed.split("--approval ")[1].split()[0]
    wrong = f"{(int(push.code) + 1) % 10**6:06}"
    refused = phone(file, "open", "--approval", approval, "--code", wrong, code=1)
    assert getattr(refused.exception, "problem_code", "") == "code_wrong"
    phone(file, "open", "--approval", approval, "--code", push.code)
    assert phone(file, "approve").output.endswith("Approved.\n")
    assert session.wait(timeout_s=5).is_ok


@pytest.mark.parametrize(
    "words", [("--link", "x", "--camera", "y"), ("--code", "123456"), ("--approval", "a", "frame")]
)
def test_one_request_is_opened_at_a_time(tmp_path: Path, words: tuple[str, ...]) -> None:
    refused = phone(tmp_path / "x.phone", "open", *words, code=1)
    assert isinstance(refused.exception, click.UsageError)


def test_a_phone_that_is_bound_to_nobody_opens_nothing(tmp_path: Path) -> None:
    missing = phone(tmp_path / "none.phone", "list", code=1)
    assert getattr(missing.exception, "code", "") == "client_file_missing"


def test_a_failed_binding_leaves_no_file(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "new.phone"
    options = ("--platform", f"http://id.localhost:{served.port}", "--pin", "000000")
    card = str(served.folder / "cards" / "lin.card")
    monkeypatch.setattr("inkan.cli.phone.click.prompt", lambda *_, **__: "00000000")
    failed = phone(file, "enrol", *options, "--card", card, code=1)
    assert failed.exception is not None
    assert not file.exists()


def test_a_phone_joins_the_page_and_waits_for_the_card(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, platform = tmp_path / "joined.phone", f"http://id.localhost:{served.port}"
    citizen = served.country.citizens["tanaka"]

    async def begin() -> tuple[str, str, str]:
        async with EnrolmentClient(platform) as desk:
            version = get_scheme(served.country.scheme).terms.version
            started = await desk.start(served.country.scheme, terms_version=version)
            return started.id, started._secret.reveal(), await started.frame()

    async def sign(digits: str) -> None:
        async with EnrolmentClient(platform) as desk:
            started = desk.resume(request, secret)
            with citizen.card as card:
                await started.sign_with(card, pin=citizen.pin, confirm=lambda _: digits)

    request, secret, frame = asyncio.run(begin())
    said: list[str] = []
    echo = click.echo

    def hear(text: str = "") -> None:
        """The person at the desk: as soon as the phone shows digits, the card signs."""
        said.append(text)
        echo(text)
        if "The phone shows" in text:
            digits = "".join(text.split("shows")[1].split())
            signer = threading.Thread(target=lambda: asyncio.run(sign(digits)))
            signer.start()
            signer.join(30)

    with monkeypatch.context() as patched:
        patched.setattr("click.echo", hear)
        phone(file, "join", "--platform", platform, "--name", "by the page", frame)
    assert f"Bound. The phone lies in {file}." in said
    assert "by the page" in phone(file, "list").output


def test_a_phone_that_cannot_join_leaves_no_file(served: Served, tmp_path: Path) -> None:
    file, platform = tmp_path / "new.phone", f"http://id.localhost:{served.port}"
    refused = phone(file, "join", "--platform", platform, f"{platform}/nothing", code=1)
    assert getattr(refused.exception, "code", "") or refused.exception is not None
    assert not file.exists()
    twice = phone(file, "join", "--platform", platform, "--camera", "x", "y", code=1)
    assert isinstance(twice.exception, click.UsageError)
    assert not file.exists()


def test_the_wallet_follows_from_the_platform_or_is_asked_for(tmp_path: Path) -> None:
    card = tmp_path / "x.card"
    card.touch()
    options = ("--platform", "https://platform.example", "--pin", "000000", "--card", str(card))
    refused = phone(tmp_path / "x.phone", "enrol", *options, code=1)
    assert getattr(refused.exception, "code", "") == "wallet_unknown"
