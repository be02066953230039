"""The counter of one instance."""

from inkan.counter.service.card_secrets import SecretsOfCards
from inkan.counter.service.cases import Cases
from inkan.counter.service.commands import Commands
from inkan.counter.service.logins import Logins
from inkan.counter.service.offices import Offices
from inkan.counter.service.online import Online
from inkan.counter.service.papers import Papers
from inkan.counter.service.parts import Parts
from inkan.counter.service.residents import Residents
from inkan.counter.service.terminals import Terminals


class Counter:
    """Offices where persons get, unlock and end their cards.

    Attributes:
        parts: what its use cases share.
        offices: offices, clerks, shifts.
        residents: addresses of residents.
        cases: visits, and the cards made in them.
        logins: clerks, by their cards.
        card_secrets: what opens a card for its issuer.
        terminals: computers whose card programs take commands.
        commands: to those programs, and their answers.
        papers: what is printed for a case.
        online: what a person does with a card and without a clerk.
    """

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.offices = Offices(parts)
        self.residents = Residents(parts)
        self.cases = Cases(parts)
        self.logins = Logins(parts)
        self.card_secrets = SecretsOfCards(parts.keys)
        self.terminals = Terminals(parts)
        self.commands = Commands(
            parts, cases=self.cases, terminals=self.terminals, secrets=self.card_secrets
        )
        self.papers = Papers(parts)
        self.online = Online(parts)
