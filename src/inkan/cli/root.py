"""The root command and its table of nouns.

``inkan --help`` must answer at once, so nothing but click is imported until a noun is called: the short
help of each noun stands in the table beside the module that holds it.
"""

import importlib
import sys
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import click

from inkan import __version__
from inkan.cli.world import World
from inkan.kernel.errors import Category, InkanError

EPILOG = "Example: inkan demo   (a whole test country on this machine; it prints what to try)"

# sysexits.h: what shells and supervisors expect.
EXIT_CODES = {
    Category.MALFORMED: 65,
    Category.TOO_LARGE: 65,
    Category.UNAUTHENTICATED: 77,
    Category.FORBIDDEN: 77,
    Category.NOT_FOUND: 66,
    Category.CONFLICT: 1,
    Category.GONE: 1,
    Category.TOO_MANY: 75,
    Category.UNAVAILABLE: 69,
}


class Noun(NamedTuple):
    """Where a command group lives and what it is for."""

    module: str
    help: str
    attribute: str = "command"


NOUNS = {
    "accounts": Noun("inkan.accounts.commands", "Staff logins: invite, list, end."),
    "attributes": Noun(
        "inkan.attributes.commands", "Attributes of persons: record, withdraw, list."
    ),
    "audit": Noun("inkan.audit.commands", "The audit log: verify that nothing was changed."),
    "ca": Noun("inkan.pki.commands", "Certification authorities: ceremony, certificates, CRLs."),
    "card": Noun("inkan.cli.card", "Cards in this computer's readers: list, certificates, PIN."),
    "cert": Noun("inkan.cli.cert", "Certificates: show what a file says; the status at any time."),
    "config": Noun("inkan.cli.config", "The settings of an instance: check, show."),
    "conformance": Noun(
        "inkan.cli.conformance", "Attack a relying party's test endpoint; a signed report."
    ),
    "counter": Noun(
        "inkan.counter.commands", "Card counters: offices, their clerks, the residents they serve."
    ),
    "demo": Noun("inkan.demo.commands", "A whole test country in one process."),
    "kiosk": Noun("inkan.enrolment.commands", "Kiosks: draw the secret of a new one."),
    "openid": Noun("inkan.federation.commands", "The OpenID provider: list and rotate its keys."),
    "outbox": Noun("inkan.cli.outbox", "What waits to be delivered, and what was given up."),
    "phone": Noun("inkan.cli.phone", "A reference phone: enrol, open, approve, refuse, list."),
    "pki": Noun("inkan.cli.pki", "Validate certification paths from files."),
    "serve": Noun("inkan.cli.serve", "Run one instance of the platform."),
    "signer": Noun(
        "inkan.cli.signer", "The process that holds the keys of authorities: run, journal."
    ),
    "systems": Noun(
        "inkan.relying_parties.commands", "Relying parties' systems: add, list, suspend."
    ),
    "tsa": Noun("inkan.cli.tsa", "Time-stamps: stamp a file, verify a file's time-stamp."),
    "verify": Noun("inkan.cli.verify", "Check a receipt offline, with nothing but trust anchors."),
}


class NounTable(click.Group):
    """A group that imports a noun's module when the noun is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The nouns, sorted."""
        return sorted(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The noun's command, imported now; None for an unknown noun."""
        noun = NOUNS.get(cmd_name)
        if noun is None:
            return None
        command: click.Command = getattr(importlib.import_module(noun.module), noun.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the nouns from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, noun.help) for name, noun in sorted(NOUNS.items())])


@click.command(
    cls=NounTable,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="inkan")
@click.option(
    "--settings",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="INKAN_SETTINGS",
    help="Settings file (TOML) of the instance; environment variables overlay it.",
)
@click.pass_context
def root(ctx: click.Context, settings: Path | None) -> None:
    """Inkan (印鑑): a certificate that a natural person holds in a phone."""
    ctx.obj = World(settings)


def main() -> NoReturn:
    """Run the command line and exit; a refusal is one line on standard error and its exit code."""
    try:
        result: Any = root.main(standalone_mode=False)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except InkanError as refusal:
        click.echo(f"inkan: {refusal.title}.{_detail(refusal)} [{refusal.code}]", err=True)
        sys.exit(EXIT_CODES[refusal.category])
    sys.exit(result if isinstance(result, int) else 0)


def _detail(refusal: InkanError) -> str:
    return f" {refusal.detail}." if refusal.detail else ""
