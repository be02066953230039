"""The manage program of one terminal from its folder: pinned configuration, keys, used nonces, what asks for PINs."""

from pathlib import Path
from typing import Final

from inkan.client.card_agent.commands import Tell
from inkan.client.card_agent.configuration import Configuration, verify_owned
from inkan.client.card_manager.commands import ManagerCommands
from inkan.client.card_manager.configuration import TerminalKeys, read_configuration
from inkan.client.card_manager.dialog import ManagerDialog
from inkan.client.card_manager.pinentry_dialog import ManagerPinentry
from inkan.client.card_manager.program import CardManager
from inkan.client.durable_file import FileLock
from inkan.client.pcsc import PCSC

KEYS: Final = "terminal-keys.json"
CONFIGURATION: Final = "manager.json"
DIALOG: Final = "card-agent.toml"


def dialog_of(settings: Configuration) -> ManagerDialog:
    """The dialog that the agent's configuration names."""
    return ManagerPinentry(settings.pinentry, settings.language)


def open_manager(
    folder: Path, *, dialog: ManagerDialog, tell: Tell | None = None
) -> ManagerCommands:
    """Return the commands of the terminal whose files lie in ``folder``.

    Raises:
        FileMissing, ManagerConfigurationMalformed: it is no such folder.
        AgentConfigurationUnsafe: others than their owner may write them.
        CardServiceMissing: there is no PC/SC on this computer.
    """
    configuration = read_configuration(folder / CONFIGURATION)
    for name in (CONFIGURATION, KEYS):
        if (folder / name).exists():
            verify_owned((folder / name).stat(), folder / name)
    keys = TerminalKeys.read(folder / KEYS)
    manager = CardManager(configuration, keys, PCSC(), dialog, folder=folder)
    return ManagerCommands(
        manager,
        origin=configuration.origin,
        readers=PCSC,
        lock=FileLock(folder / CONFIGURATION),
        tell=tell,
    )
