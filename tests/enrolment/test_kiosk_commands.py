"""``inkan kiosk`` at a terminal: what it prints makes a kiosk."""

import tomllib

import msgspec
from click.testing import CliRunner

from inkan.enrolment.commands import command
from inkan.enrolment.model.kiosk import Kiosk, KioskKind
from inkan.enrolment.service.kiosk import kiosk_of


def test_a_printed_secret_opens_the_printed_kiosk() -> None:
    done = CliRunner().invoke(command, ["secret", "station-1", "--kind", "copier"])
    assert done.exit_code == 0, done.output
    first, _, *table = done.output.splitlines()
    name, secret = first.split("  ")[1:]
    (made,) = tomllib.loads("\n".join(table))["enrolment"]["kiosks"]
    kiosk = msgspec.convert(made, Kiosk)
    assert kiosk.kind is KioskKind.COPIER
    assert kiosk_of([kiosk], f"{name}.{secret}") is kiosk
    again = CliRunner().invoke(command, ["secret", "station-1"])
    assert secret not in again.output
