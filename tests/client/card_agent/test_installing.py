"""What is put beside a browser, and a configuration that somebody else could have written."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from inkan.cli.card import command
from inkan.client.card_agent import installing
from inkan.client.card_agent.configuration import Configuration, load
from inkan.client.card_agent.installing import Browser
from inkan.client.card_agent.native_host import frame
from inkan.client.card_agent.refusals import AgentConfigurationUnsafe
from inkan.wire.shown import Language

ORIGINS = ("https://id.example.org", "http://id.localhost:8000")
ID = "lehijddamlegkpgabfhojfbmohpglpgd"


def put(home: Path, browser: Browser = Browser.CHROMIUM) -> tuple[installing.Places, Path]:
    at = installing.places(browser, home=home)
    chosen = Configuration(origins=ORIGINS, language=Language.JA)
    return at, installing.install(at, browser, chosen, ["/usr/bin/env", "printf", "a b"])


def test_the_id_follows_from_the_key() -> None:
    assert installing.extension_id() == ID
    assert f"chrome-extension://{ID}/" in installing.callers()


@pytest.mark.parametrize("browser", list(Browser))
def test_the_manifest_names_program_and_extension(tmp_path: Path, browser: Browser) -> None:
    at, extension = put(tmp_path, browser)
    manifest = json.loads((at.hosts / "org.inkan.card.use.json").read_text())
    assert (manifest["name"], manifest["type"]) == ("org.inkan.card.use", "stdio")
    allowed = manifest.get("allowed_origins") or manifest["allowed_extensions"]
    assert allowed == (
        ["card-agent@inkan.org"] if browser is Browser.FIREFOX else [f"chrome-extension://{ID}/"]
    )
    ran = subprocess.run([manifest["path"]], capture_output=True, check=True, text=True)
    assert ran.stdout == "a b"
    shown = json.loads((extension / "manifest.json").read_text())
    assert shown["permissions"] == ["nativeMessaging"]
    (script,) = shown["content_scripts"]
    assert script["matches"] == ["http://id.localhost/*", "https://id.example.org/*"]
    assert "all_frames" not in script
    assert ("key" in shown) == (browser is not Browser.FIREFOX)
    assert {each.name for each in extension.iterdir()} == {
        "background.js",
        "content.js",
        "manifest.json",
    }


def test_what_is_written_is_read_and_taken_away(tmp_path: Path) -> None:
    at, extension = put(tmp_path)
    found = load(at.configuration)
    assert (found.origins, found.language, found.pinentry) == (ORIGINS, Language.JA, ("pinentry",))
    installing.uninstall(at)
    installing.uninstall(at)
    assert not extension.exists()
    assert list(at.hosts.iterdir()) == []
    assert load(at.configuration).origins == ORIGINS


@pytest.mark.parametrize(
    "origin", ["*", "https://*.example.org", "http://example.org", "https://a/"]
)
def test_no_pattern_and_no_plain_http_is_an_origin(tmp_path: Path, origin: str) -> None:
    at = installing.places(Browser.CHROMIUM, home=tmp_path)
    with pytest.raises(AgentConfigurationUnsafe):
        installing.install(at, Browser.CHROMIUM, Configuration(origins=(origin,)), ["true"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    at, _ = put(tmp_path)
    at.configuration.chmod(mode)
    with pytest.raises(AgentConfigurationUnsafe):
        load(at.configuration)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origins = []",
        'origins = ["*"]',
        'origins = "https://a.example"',
        'origins = ["https://a.example"]\nmore = 1',
        "origins = [",
        "\xff",
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "card-agent.toml"
    path.write_bytes(text.encode("latin-1"))
    path.chmod(0o600)
    with pytest.raises(AgentConfigurationUnsafe):
        load(path)
    with pytest.raises(AgentConfigurationUnsafe):
        load(tmp_path / "none")


def test_the_command_line_installs_and_the_launcher_answers(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    words = ["agent", "install", "--origin", ORIGINS[0], "--browser", "chrome"]
    done = CliRunner().invoke(command, words)
    assert done.exit_code == 0, done.output
    hosts = tmp_path / ".config/google-chrome/NativeMessagingHosts"
    program = json.loads((hosts / "org.inkan.card.use.json").read_text())["path"]
    asked = {"origin": ORIGINS[0], "request": {"id": 1, "command": "hello"}}
    ran = subprocess.run(
        [program, f"chrome-extension://{ID}/"],
        input=frame(json.dumps(asked).encode()),
        capture_output=True,
        check=False,
        env=os.environ,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout[4:]) == {"id": 1, "answer": {"version": 1, "kind": "use"}}
    for caller in ([], ["chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/"]):
        ran = subprocess.run([program, *caller], input=b"", capture_output=True, check=False)
        assert ran.returncode != 0
        assert ran.stdout == b""
    done = CliRunner().invoke(command, ["agent", "uninstall", "--browser", "chrome"])
    assert done.exit_code == 0
    assert list(hosts.iterdir()) == []
