"""Write the pages under docs/reference from the tables of the code: `make doc`.

The pages are checked in; a house test compares them with what this program would write, so that a
reader of the repository never reads about a table that has changed since. A part of the platform that
does not exist yet has no page.
"""

import importlib
import importlib.util
import inspect
import sys
import tomllib
from collections.abc import Iterator
from enum import EnumType
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import click
import msgspec

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from inkan.kernel.machine import AnyMachine, Machine  # noqa: E402
from support import repository  # noqa: E402 - found by the line above

REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- Written by `make doc` from the code; changes belong there. -->"
WIDTH = 96


def pages() -> dict[str, str]:
    """File name → text of every page whose source exists."""
    makers = {
        "cli.md": cli,
        "errors.md": errors,
        "machines.md": machines,
        "openid.md": openid,
        "settings.md": settings,
        "test-persons.md": test_persons,
    }
    made = {name: make() for name, make in makers.items()}
    return {name: f"{NOTE}\n\n{text.rstrip()}\n" for name, text in made.items() if text}


def exists(module: str) -> bool:
    """Whether the module is there, so that its page can be made."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def row(*cells: object) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |"


def prose(docstring: str | None) -> str:
    """A docstring as Markdown has it."""
    return inspect.cleandoc(docstring or "").replace("``", "`")


# --- errors -----------------------------------------------------------------------------------------


def errors() -> str:
    """The catalogue: every code, whose it is and what to do."""
    catalogue = ROOT / "src" / "inkan" / "web" / "catalogue"
    entries: dict[str, dict[str, str]] = {}
    for file in sorted(catalogue.glob("*.toml")):
        entries |= tomllib.loads(file.read_text(encoding="utf-8"))
    lines = [
        "# Errors",
        "",
        "Every refusal has a stable code. A problem document (RFC 9457) names it in `type` as",
        "`urn:inkan:problem:<code>`; *public* are the facts it may carry. *Owner* is who can mend it, *retry* whether",
        "trying again helps.",
    ]
    for package, found in _by_package().items():
        lines += [
            "",
            f"## {package}",
            "",
            row("Code", "Category", "Owner", "Retry", "Public", "Cause"),
        ]
        lines.append(row(*["---"] * 6))
        for error in found:
            entry = entries.get(error.code, {})
            public = ", ".join(f"`{name}`" for name in error.public)
            told = (entry.get(field, "") for field in ("owner", "retry"))
            lines.append(
                row(f"`{error.code}`", error.category, *told, public, entry.get("cause", ""))
            )
    return "\n".join(lines) if entries else ""


def _by_package() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for error in repository.errors():
        found.setdefault(repository.package_of(error), []).append(error)
    return dict(sorted(found.items()))


# --- settings ---------------------------------------------------------------------------------------


def settings() -> str:
    """Every key of the settings file, its variable, its type and its default."""
    if not exists("inkan.composition.settings"):
        return ""
    module = importlib.import_module("inkan.composition.settings")
    lines = ["# Settings", "", prose(module.__doc__)]
    lines += _settings_section("", module.Settings)
    return "\n".join(lines)


def setting_keys(
    struct: type[Any], prefix: str = ""
) -> Iterator[tuple[str, msgspec.structs.FieldInfo]]:
    """Each key with a dot between section and name, and its field."""
    for field in msgspec.structs.fields(struct):
        if not is_section(field):
            yield f"{prefix}{field.name}", field
    for field in msgspec.structs.fields(struct):
        if is_section(field):
            yield from setting_keys(field.type, f"{prefix}{field.name}.")


def is_section(field: msgspec.structs.FieldInfo) -> bool:
    """Whether the field holds further settings."""
    return isinstance(field.type, type) and issubclass(field.type, msgspec.Struct)


def _settings_section(prefix: str, struct: type[Any]) -> list[str]:
    fields = msgspec.structs.fields(struct)
    own = [field for field in fields if not is_section(field)]
    lines = ["", f"## `[{prefix.rstrip('.')}]`" if prefix else "## Top level", ""]
    lines += [prose(struct.__doc__), ""]
    lines += [row("Key", "Variable", "Type", "Default"), row(*["---"] * 4)] if own else []
    for field in own:
        key = f"{prefix}{field.name}"
        variable = f"`INKAN_{key.upper().replace('.', '__')}`"
        lines.append(row(f"`{key}`", variable, _type(field.type), _default(field)))
    for field in fields:
        if is_section(field):
            lines += _settings_section(f"{prefix}{field.name}.", field.type)
        elif table := _table_of(field.type):
            lines += _settings_table(f"{prefix}{field.name}", table)
    return lines


def _table_of(kind: Any) -> type[Any] | None:
    """The struct that a field of this type holds any number of, or None."""
    first = next(iter(get_args(kind)), None)
    return first if isinstance(first, type) and issubclass(first, msgspec.Struct) else None


def _settings_table(name: str, struct: type[Any]) -> list[str]:
    """One of any number of tables: in the file alone, so without variables."""
    lines = ["", f"## `[[{name}]]`", "", prose(struct.__doc__), ""]
    lines += [row("Key", "Type", "Default"), row(*["---"] * 3)]
    for field in msgspec.structs.fields(struct):
        kind = get_args(field.type)[0] if get_origin(field.type) is Annotated else field.type
        shown = "`tuple[str, ...]`" if get_origin(kind) is tuple else _type(kind)
        if get_origin(kind) is Literal:
            shown = ", ".join(f"`{value}`" for value in get_args(kind))
        lines.append(row(f"`{field.name}`", shown, _default(field)))
    return lines


def _type(kind: Any) -> str:
    if _table_of(kind):
        return "tables of the file, see below"
    if isinstance(kind, EnumType):
        return ", ".join(f"`{member.value}`" for member in kind)
    return (
        f"`{kind.__name__ if isinstance(kind, type) and not hasattr(kind, '__args__') else kind}`"
    )


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    value = field.default
    if value is msgspec.NODEFAULT:
        value = field.default_factory()
    return f"`{msgspec.json.encode(value).decode()}`"


# --- machines ---------------------------------------------------------------------------------------


def machines() -> str:
    """The diagram of every state machine."""
    found = _machines()
    lines = ["# State machines", "", "What a diagram does not show is refused with `step_refused`."]
    for name, machine in found.items():
        lines += ["", f"## {name}", "", "```mermaid", machine.mermaid(), "```"]
    return "\n".join(lines) if found else ""


def _machines() -> dict[str, AnyMachine]:
    found = ((name, value) for name, value in repository.values() if isinstance(value, Machine))
    return {name.removeprefix("inkan."): value for name, value in sorted(found, key=itemgetter(0))}


# --- test persons -----------------------------------------------------------------------------------


def test_persons() -> str:
    """The test persons of the sandbox and what comes of asking each of them."""
    if not exists("inkan.sandbox.rules"):
        return ""
    rules = importlib.import_module("inkan.sandbox.rules")
    lines = [
        "# Test persons",
        "",
        "Of the [sandbox](../sandbox.md). The national IDs are those of the first system of an instance; every other",
        "system has its own, by `GET /v1/sandbox/persons`. *Session* is how a session ends that the person's phone is",
        "shown by QR code or link; *otherwise* names the refusal where there is no such session. *Push* is how a session",
        "ends that is pushed to the person: whatever is no agreement looks like nobody.",
        "",
        row(
            "Key",
            "Name",
            "Born",
            "National ID",
            "Behaviour",
            "Session",
            "Otherwise",
            "Push",
            "What",
        ),
        row(*["---"] * 9),
    ]
    for each in rules.persons().values():
        outcome = each.outcome
        session = ": ".join(filter(None, (outcome.session, outcome.reason)))
        lines.append(
            row(
                f"`{each.key}`",
                each.name,
                each.birth_date,
                f"`{each.national_id}`",
                f"`{each.behaviour}`" if each.phones else "",
                f"`{session}`" if session else "",
                f"`{outcome.action or outcome.phone}`" if outcome.action or outcome.phone else "",
                f"`{rules.expected_by_push(each).session}`",
                each.text["en"],
            )
        )
    return "\n".join(lines)


# --- OpenID ----------------------------------------------------------------------------------------


def openid() -> str:
    """What tokens say of an answer, and which claims there are."""
    if not exists("inkan.federation.rules.levels"):
        return ""
    context = importlib.import_module("inkan.wire.authentication_context")
    levels = importlib.import_module("inkan.federation.rules.levels")
    claims = importlib.import_module("inkan.federation.rules.claims")
    lines = ["# OpenID: values and claims", "", prose(context.__doc__), "", "## acr", ""]
    lines += table(
        ("Value", "Level", "What happened", "Source"),
        [(f"`{each.value}`", each.level or "", each.says, each.source) for each in context.ROWS],
    )
    lines += ["", "## amr", "", prose(levels.__doc__), ""]
    lines += table(
        ("Value", "What was seen", "Facts", "Source"),
        [
            (f"`{each.value}`", each.says, ", ".join(sorted(each.needs)), each.source)
            for each in levels.AMR_ROWS
        ],
    )
    lines += ["", "## Claims and scopes", ""]
    lines += table(
        ("Claim", "Attribute", "Scopes", "Source"),
        [
            (f"`{name}`", f"`{each.attribute}`", ", ".join(sorted(each.scopes)), each.source)
            for name, each in claims.CLAIM_ROWS.items()
        ],
    )
    lines += ["", "## verified_claims", ""]
    lines += table(
        ("trust_framework", "How it was verified", "assurance_level", "Source"),
        [
            (
                f"`{each.framework}`",
                each.says,
                "its own" if each.tells_level else "none",
                each.source,
            )
            for each in claims.TRUST_ROWS.values()
        ],
    )
    return "\n".join(lines)


def table(head: tuple[str, ...], cells: list[tuple[object, ...]]) -> list[str]:
    """The lines of a Markdown table."""
    return [row(*head), row(*["---"] * len(head)), *(row(*each) for each in cells)]


# --- commands ---------------------------------------------------------------------------------------


def root_command() -> click.Group:
    """The root group of the command line."""
    root: click.Group = importlib.import_module("inkan.cli.root").root
    return root


def commands(root: click.Group) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command with the words that call it, groups before their members."""

    def walk(name: str, command: click.Command, parent: click.Context | None) -> Iterator[Any]:
        # With the command's own settings, as a call makes it: click keeps the help option that it saw first.
        told = {"info_name": name, **command.context_settings, "terminal_width": WIDTH}
        context = click.Context(command, parent=parent, **told)
        yield context.command_path, command, context
        if isinstance(command, click.Group):
            for child in command.list_commands(context):
                found = command.get_command(context, child)
                if found is not None and not found.hidden:
                    yield from walk(child, found, context)

    yield from walk("inkan", root, None)


def cli() -> str:
    """The help of every command."""
    lines = ["# Command line"]
    for path, command, context in commands(root_command()):
        lines += ["", f"## {path}", "", "```", command.get_help(context).rstrip(), "```"]
    return "\n".join(lines)


def differing() -> list[str]:
    """Names of the pages that are not what this program would write."""
    made = pages()
    kept = {path.name: path.read_text(encoding="utf-8") for path in REFERENCE.glob("*")}
    return sorted(name for name in made | kept if made.get(name) != kept.get(name))


def main() -> None:
    """Write the pages; remove those whose source has gone. With ``--check`` only compare them."""
    if "--check" in sys.argv[1:]:
        sys.exit(f"run make doc: {', '.join(stale)}" if (stale := differing()) else 0)
    REFERENCE.mkdir(parents=True, exist_ok=True)
    made = pages()
    for name, text in made.items():
        (REFERENCE / name).write_text(text, encoding="utf-8")
        print(f"docs/reference/{name}")
    for stale in set(REFERENCE.glob("*.md")) - {REFERENCE / name for name in made}:
        stale.unlink()


if __name__ == "__main__":
    main()
