"""``inkan accounts``: staff accounts at the command line; the way to the first administrator."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import click

from inkan.accounts.model import AccountState, Handover, Invitation, Role
from inkan.accounts.rules import STAFF_ROLES
from inkan.accounts.service import Accounts
from inkan.audit import Actor, ActorKind
from inkan.kernel.clock import rfc3339
from inkan.kernel.sensitive import Personal
from inkan.notices import parse_mail_address
from inkan.web.languages import Language

T = TypeVar("T")

OPERATOR = Actor(ActorKind.OPERATOR, "console")


class Platform(Protocol):
    """What this noun needs of the composed instance."""

    accounts: Accounts


class World(Protocol):
    """What the root hands to the nouns: an instance that is composed when first asked."""

    def run(self, job: Callable[[Platform], Awaitable[T]]) -> T:
        """Compose the instance, run the job in its event loop, take the instance down."""


@click.group()
def command() -> None:
    """Staff accounts.

    Example: inkan accounts invite "Chen Mei" --role administrator
    """


@command.command()
@click.argument("name")
@click.option(
    "--role",
    "roles",
    type=click.Choice(sorted(role.value for role in STAFF_ROLES)),
    multiple=True,
    required=True,
    help="What the account may do; can be given several times.",
)
@click.option("--mail", help="Send the link to this address instead of printing it.")
@click.option(
    "--language",
    type=click.Choice([language.value for language in Language]),
    default=Language.EN.value,
    show_default=True,
    help="Of the mails to this account.",
)
@click.option("--tenant", default="", help="Organisation that the roles hold in.")
@click.pass_obj
def invite(
    world: World,
    name: str,
    *,
    roles: tuple[str, ...],
    mail: str | None,
    language: str,
    tenant: str,
) -> None:
    """Invite NAME to a new staff account.

    Without --mail the link is printed and lives ten minutes: hand it over in person. With --mail only the
    invited sees it, for 24 hours.

    Example: inkan accounts invite "Chen Mei" --role administrator
    """
    invitation = world.run(
        lambda platform: platform.accounts.invite(
            [Role(role) for role in roles],
            name=Personal(name),
            mail=None if mail is None else parse_mail_address(mail),
            language=Language(language),
            tenant=tenant,
            actor=OPERATOR,
        )
    )
    _print(invitation)


@command.command(name="invite-again")
@click.argument("account")
@click.option("--mail", is_flag=True, help="Send the link to the account's address.")
@click.pass_obj
def invite_again(world: World, account: str, *, mail: bool) -> None:
    """Invite the owner of ACCOUNT anew, whose link ran out or whose passkey is lost.

    Accepting it replaces the account's passkey and ends its logins.

    Example: inkan accounts invite-again acc_…
    """
    handover = Handover.MAIL if mail else Handover.IN_PERSON
    invitation = world.run(
        lambda platform: platform.accounts.invite_again(account, handover=handover, actor=OPERATOR)
    )
    _print(invitation)


@command.command(name="list")
@click.option("--all", "everybody", is_flag=True, help="Ended accounts too.")
@click.pass_obj
def list_(world: World, *, everybody: bool) -> None:
    """List the staff accounts: id, state, roles, name.

    Example: inkan accounts list
    """
    for account in world.run(lambda platform: platform.accounts.staff()):
        if everybody or account.state is not AccountState.ENDED:
            name = account.name.reveal() if account.name is not None else ""
            roles = ",".join(sorted(account.roles))
            click.echo(f"{account.id}  {account.state.value:8} {roles:24} {name}")


@command.command()
@click.argument("account")
@click.confirmation_option(prompt="End this account for ever?")
@click.pass_obj
def end(world: World, account: str) -> None:
    """End ACCOUNT for ever, with its passkeys and logins.

    Example: inkan accounts end acc_…
    """
    world.run(lambda platform: platform.accounts.end_account(account, actor=OPERATOR))
    click.echo("Ended.")


def _print(invitation: Invitation) -> None:
    until = rfc3339(invitation.expires_at)
    if invitation.link is None:
        click.echo(f"Account {invitation.account}: the link goes out by mail, valid until {until}.")
        return
    click.echo(f"Account {invitation.account}: open this once, until {until}:", err=True)
    click.echo(invitation.link.reveal())
