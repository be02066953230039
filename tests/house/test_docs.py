"""The documents: links lead somewhere, the reference is what the code says, nothing is left out."""

import configparser
import importlib.util
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from support import repository
from support.repository import ROOT

DOCS = ROOT / "docs"
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
PICTURE = re.compile(r"<img [^>]*>")
PICTURES_OCTETS = 4_000_000
HEADING = re.compile(r"^#{1,6} (.+?)\s*$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
PAGES = [path for path in repository.files() if path.suffix == ".md"]
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))


@cache
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def prose(path: Path) -> str:
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def commands_in(path: Path) -> str:
    """What a page sets as code: its fenced blocks and its spans."""
    text = path.read_text(encoding="utf-8")
    return "\n".join(FENCE.findall(text) + re.findall(r"`[^`\n]+`", FENCE.sub("", text)))


def anchors(path: Path) -> set[str]:
    """The anchors that a Markdown renderer gives the headings of a page."""
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(prose(path)))
    return {word.strip().replace(" ", "-") for word in words}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        path = (page.parent / file).resolve() if file else page
        assert path.exists(), f"{target}: no such file"
        assert not anchor or anchor in anchors(path), f"{target}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pictures_are_there_and_are_described(page: Path) -> None:
    for tag in PICTURE.findall(prose(page)):
        source, text = re.search(r'src="([^"]+)"', tag), re.search(r'alt="([^"]+)"', tag)
        assert source, tag
        assert (page.parent / source[1]).is_file(), f"{source[1]}: no such picture"
        assert text, f"{source[1]}: nothing is said of it"


def test_every_picture_is_shown_and_all_together_are_small() -> None:
    pages = "".join(prose(page) for page in PAGES)
    pictures = list((DOCS / "pictures").iterdir())
    assert [each.name for each in pictures if f"pictures/{each.name}" not in pages] == []
    assert sum(each.stat().st_size for each in pictures) < PICTURES_OCTETS


def test_the_reference_is_what_the_code_says() -> None:
    # In a process of its own: click keeps a command's help as it was first asked for.
    checked = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_every_setting_is_documented() -> None:
    from inkan.composition.settings import Settings

    page = generator().pages()["settings.md"]
    keys = dict(generator().setting_keys(Settings))
    assert len(keys) > 5
    for key, field in keys.items():
        variable = "INKAN_" + key.upper().replace(".", "__")
        assert f"| `{key}` | `{variable}` |" in page
        assert not field.required, f"{key} has no safe default"


def test_every_command_is_documented_with_an_example() -> None:
    page = generator().pages()["cli.md"]
    for path, command, context in generator().commands(generator().root_command()):
        assert f"## {path}\n" in page
        assert command.get_short_help_str(), f"{path} has no help"
        assert "xample" in command.get_help(context), f"{path} has no example"


def test_the_house_paper_names_every_floor() -> None:
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter", encoding="utf-8")
    floors = re.findall(r"\w+", parser["importlinter:contract:floors"]["layers"])
    paper = (DOCS / "house.md").read_text(encoding="utf-8")
    assert [name for name in floors if f"`{name}`" not in paper] == []


def test_decisions_are_numbered_without_gaps_and_follow_the_template() -> None:
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))
    headings = re.findall(
        r"^## .+$", (DOCS / "decisions" / "template.md").read_text(), re.MULTILINE
    )
    for path in DECISIONS:
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"^## .+$", text, re.MULTILINE) == headings, path.name
        assert re.search(r"^\*\*Status:\*\* (accepted|superseded by \[)", text, re.MULTILINE), (
            path.name
        )


def test_the_make_targets_that_papers_name_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        (page.name, word)
        for page in PAGES
        for word in re.findall(
            r"(?:`|^)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    assert [pair for pair in sorted(named) if pair[1] not in targets] == []


def test_every_divergence_in_the_code_is_told() -> None:
    told = re.findall(
        r"^## divergence-([0-9]+):", (DOCS / "divergences.md").read_text(), re.MULTILINE
    )
    assert told == [str(number) for number in range(1, len(told) + 1)]
    noted = {
        number
        for path in repository.files()
        if path.suffix in {".py", ".js"}
        for number in re.findall(r"NOTE\(divergence-([0-9]+)\)", repository.text(path) or "")
    }
    assert noted <= set(told)


def test_a_broken_link_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Two Words, Really\n[a](other.md) [b](#two-words-really)\n```\n[c](x.md)\n```\n"
    )
    assert LINK.findall(prose(page)) == ["other.md", "#two-words-really"]
    assert anchors(page) == {"two-words-really"}
