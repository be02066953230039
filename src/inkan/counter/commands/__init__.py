"""``inkan counter``: offices, their clerks and terminals, and the residents they serve, at the command line."""

import click

from inkan.counter.commands.offices import clerk, office
from inkan.counter.commands.residents import resident
from inkan.counter.commands.terminals import terminal


@click.group()
def command() -> None:
    """Card counters.

    Example: inkan counter office list
    """


for _group in (clerk, office, resident, terminal):
    command.add_command(_group)
