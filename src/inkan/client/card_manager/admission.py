"""Which commands a terminal carries out: those of its platform, for its page and itself, now, and once each.

Nothing of a command is believed before its signature holds, and nothing is done before its nonce lies in the file of
used ones: whoever records a command gains nothing by showing it again, also after the program was started anew.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from inkan.client import durable_file
from inkan.client.card_manager.configuration import ManagerConfiguration
from inkan.client.durable_file import FileLock, FileMissing
from inkan.crypto import jose
from inkan.crypto.jose import Algorithm
from inkan.kernel.errors import Forbidden, Malformed, TooLarge, Unauthenticated
from inkan.wire import card_command
from inkan.wire.card_command import CardCommand
from inkan.wire.forms import parse_moment

TOKEN_LIMIT: Final = 2 * card_command.LIMIT
LONGEST_LIFE: Final = timedelta(minutes=10)
"""A command that claims to hold longer is refused: so long are nonces remembered."""


class CommandNotAdmitted(Forbidden):
    """The command is not of this terminal's platform, not for this page or terminal, too old, or was used before.

    ``check`` says which: form, signature, issuer, origin, terminal, expiry, nonce, secrets.
    """

    code = "card_command_not_admitted"
    title = "The card program does not carry out this command"
    public = ("check",)


class Admission:
    """The gate of one terminal.

    Args:
        configuration: what is pinned.
        used: file of the nonces that were used; made when it is missing.
    """

    def __init__(self, configuration: ManagerConfiguration, used: Path) -> None:
        self._configuration = configuration
        self._used = used

    def admit(self, token: str, *, origin: str, now: datetime) -> CardCommand:
        """Return the command of a compact JWS, which is used up by this.

        Plan:
            1. A compact JWS of the type of commands, signed by a pinned key.
            2. Its payload is a command of version 1.
            3. It is of the pinned platform; the page's origin, the command's and the pinned one are the same; it is
               for this terminal.
            4. It holds now, and not for longer than ten minutes.
            5. Its nonce is new, and is on the disk before this returns.

        Args:
            token: as the page handed it over.
            origin: of the page, as the browser states it.
            now: true time.

        Raises:
            CommandNotAdmitted: any step.
            FileBusy: another program of this terminal is at step 5.
        """
        try:
            payload = self._verify(token)  # 1
            command = card_command.parse_command(payload)  # 2
        except (Malformed, TooLarge) as error:
            raise CommandNotAdmitted(error.detail, check="form") from None
        self._verify_addressed(command, origin)  # 3
        until = parse_moment(command.expires_at)
        if not now < until <= now + LONGEST_LIFE:  # 4
            raise CommandNotAdmitted(check="expiry")
        self._use_up(command.nonce, until, now)  # 5
        return command

    def _verify(self, token: str) -> bytes:
        jws = jose.parse_compact(
            token, typ=card_command.COMMAND_TYPE, required=("kid",), limit=TOKEN_LIMIT
        )
        key = self._configuration.key_of(jws.header["kid"])
        if key is None:
            raise CommandNotAdmitted("no pinned key of this name", check="signature")
        try:
            return jose.verify_signature(jws, key, algs=(Algorithm.ES256,)).payload
        except Unauthenticated:
            raise CommandNotAdmitted(check="signature") from None

    def _verify_addressed(self, command: CardCommand, origin: str) -> None:
        pinned = self._configuration
        if command.iss != pinned.iss:
            raise CommandNotAdmitted(check="issuer")
        if not command.origin == origin == pinned.origin:
            raise CommandNotAdmitted(check="origin")
        if command.terminal != pinned.terminal:
            raise CommandNotAdmitted(check="terminal")

    def _use_up(self, nonce: str, until: datetime, now: datetime) -> None:
        with FileLock(self._used):
            used = {name: end for name, end in self._read_used().items() if end > now.timestamp()}
            if nonce in used:
                raise CommandNotAdmitted(check="nonce")
            used[nonce] = until.timestamp()
            durable_file.replace_file(self._used, msgspec.json.encode(used))

    def _read_used(self) -> dict[str, float]:
        try:
            return msgspec.json.decode(durable_file.read_file(self._used), type=dict[str, float])
        except FileMissing:
            return {}
        except (msgspec.DecodeError, UnicodeDecodeError):
            # Whoever damages the file of used nonces gets nothing carried out.
            raise CommandNotAdmitted(
                "the file of used nonces cannot be read", check="nonce"
            ) from None
