"""``inkan counter office`` and ``inkan counter clerk``."""

import click

from inkan.counter.commands.world import OPERATOR, World
from inkan.counter.model import Office
from inkan.kernel.ids import AccountID, PersonID


@click.group()
def office() -> None:
    """Offices with a counter.

    Example: inkan counter office list
    """


@office.command()
@click.argument("code")
@click.option("--name", required=True, help="As people know it.")
@click.option("--municipality", required=True, help="Code of the municipality that it serves.")
@click.option("--authority", required=True, help="The authority that issues its cards.")
@click.option("--phone", required=True, help="Where inquiries go.")
@click.pass_obj
def add(
    world: World, code: str, *, name: str, municipality: str, authority: str, phone: str
) -> None:
    """Add the office CODE, or correct what is known of it.

    Example: inkan counter office add chiyoda-1 --name 千代田窓口 --municipality chiyoda
    --authority card --phone "+81 3 0000 0000"
    """
    wanted = Office(
        code=code, name=name, municipality=municipality, authority=authority, phone=phone
    )
    world.run(lambda platform: platform.counter.offices.add_office(wanted, actor=OPERATOR))
    click.echo(f"Office {code} serves {municipality}.")


@office.command(name="list")
@click.pass_obj
def list_offices(world: World) -> None:
    """List the offices: code, municipality, authority, telephone number, name.

    Example: inkan counter office list
    """
    for each in world.run(lambda platform: platform.counter.offices.offices()):
        click.echo(
            f"{each.code:16} {each.municipality:16} {each.authority:12} {each.phone:18} {each.name}"
        )


@click.group()
def clerk() -> None:
    """Who works at a counter.

    Example: inkan counter clerk list chiyoda-1
    """


@clerk.command(name="add")
@click.argument("account")
@click.argument("office")
@click.option("--person", required=True, help="Whose card logs the account in.")
@click.pass_obj
def add_clerk(world: World, account: str, office: str, *, person: str) -> None:
    """Let ACCOUNT, of the role clerk, work at OFFICE; a clerk of another office moves there.

    Example: inkan counter clerk add acc_… chiyoda-1 --person ps_…
    """
    world.run(
        lambda platform: platform.counter.offices.add_clerk(
            AccountID(account), PersonID(person), office, actor=OPERATOR
        )
    )
    click.echo(f"{account} works at {office}.")


@clerk.command()
@click.argument("account")
@click.pass_obj
def end(world: World, account: str) -> None:
    """Take ACCOUNT from the counter; its shift ends, and the office's others go on with its cases.

    Example: inkan counter clerk end acc_…
    """
    world.run(
        lambda platform: platform.counter.offices.end_clerk(AccountID(account), actor=OPERATOR)
    )
    click.echo("Ended.")


@clerk.command(name="list")
@click.argument("office")
@click.pass_obj
def list_clerks(world: World, office: str) -> None:
    """List the clerks of OFFICE: account, and whether they are on duty.

    Example: inkan counter clerk list chiyoda-1
    """
    for each in world.run(lambda platform: platform.counter.offices.clerks(office)):
        click.echo(f"{each.account}  {'on duty' if each.shift else 'off duty'}")
