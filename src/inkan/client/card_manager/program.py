"""The program that a terminal runs: a compact JWS of the platform goes in, one of the terminal comes out."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from inkan.client.card_agent.refusals import AgentBusy
from inkan.client.card_link import CardReaders
from inkan.client.card_manager.acts import ACTS, Work
from inkan.client.card_manager.admission import Admission, CommandNotAdmitted
from inkan.client.card_manager.configuration import ManagerConfiguration, TerminalKeys
from inkan.client.card_manager.dialog import ManagerDialog
from inkan.client.card_manager.station import PIN_LIFE_S, Station
from inkan.crypto import jose, jwe
from inkan.crypto.jose import Algorithm
from inkan.kernel.clock import Clock, rfc3339
from inkan.kernel.errors import Malformed, TooLarge
from inkan.wire import card_command
from inkan.wire.card_command import CardAct, CardAnswer, CardCommand, CardSecrets

USED_NONCES: Final = "used-nonces.json"


class CardManager:
    """One terminal's program; a call blocks while card and person work, and one command runs at a time.

    Args:
        configuration: what is pinned here.
        keys: the terminal's own.
        readers: the way to the readers.
        dialog: where the person types.
        folder: where the used nonces are kept.
        clock: true time is what counts.
        reader: name of the reader; None for the only one that holds a card.
        pin_life_s: how long a PIN is remembered between making keys and writing certificates.
    """

    def __init__(
        self,
        configuration: ManagerConfiguration,
        keys: TerminalKeys,
        readers: CardReaders,
        dialog: ManagerDialog,
        *,
        folder: Path,
        clock: Clock | None = None,
        reader: str | None = None,
        pin_life_s: float = PIN_LIFE_S,
    ) -> None:
        self._configuration = configuration
        self._keys = keys
        self._dialog = dialog
        self._clock = clock or Clock()
        self._admission = Admission(configuration, folder / USED_NONCES)
        self._station = Station(readers, reader=reader, pin_life_s=pin_life_s)
        self._turn = threading.Lock()

    def run(self, token: str, *, origin: str) -> str:
        """Carry out a command and return the terminal's answer, a compact JWS.

        Plan:
            1. Admit the command (:meth:`~inkan.client.card_manager.admission.Admission.admit`).
            2. Open its secrets with the terminal's key; they are of the command's card.
            3. Connect; the card is the command's.
            4. Do what the table says for the act.
            5. Sign what came of it.

        Raises:
            AgentBusy: it is at another command.
            CommandNotAdmitted: steps 1 and 2.
            CardNumberDiffers, NoReader, NoCard, SeveralCards, CardUnknown, CardServiceMissing: step 3.
            CardRequestDeclined, PINMalformed, WrongPIN, PINLocked, CardRemoved and their like: step 4; the card is
                whole, or lacks one certificate or both: no answer says otherwise, and the step can be repeated.
        """
        with self._alone():
            command = self._admission.admit(token, origin=origin, now=self._clock.wire_now())  # 1
            secrets = self._open(command)  # 2
            number = self._station.connect(command.card)  # 3
            result = ACTS[command.act](  # 4
                Work(command, number, self._station, self._dialog, secrets)
            )
            answer = CardAnswer(
                terminal=command.terminal,
                case=command.case,
                act=command.act,
                nonce=command.nonce,
                card=number,
                requests=result.requests,
                certificates=result.certificates,
                at=rfc3339(self._clock.wire_now()),
            )
            return jose.sign_compact(  # 5
                card_command.ANSWER.encode(answer),
                self._keys.sign,
                alg=Algorithm.ES256,
                typ=card_command.ANSWER_TYPE,
            )

    def look(self, *, origin: str) -> dict[str, str]:
        """Tell the number of the card in the reader and this terminal's id, so that the page can ask for a command.

        Unsigned and believed by nobody: the platform's command names the card, and step 3 looks at it again.

        Raises:
            AgentBusy: it is at a command.
            CommandNotAdmitted: another page asks.
            NoReader, NoCard, SeveralCards, CardUnknown, CardServiceMissing: there is no card to look at.
        """
        if origin != self._configuration.origin:
            raise CommandNotAdmitted(check="origin")
        with self._alone():
            return {"card": self._station.connect(), "terminal": self._configuration.terminal}

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._turn.acquire(blocking=False):
            raise AgentBusy
        try:
            yield
        finally:
            self._turn.release()

    @property
    def has_lost_card(self) -> bool:
        """Whether the card of the last step has left the reader since."""
        return self._station.is_gone

    def close(self) -> None:
        """End dialog and connection, and drop what is remembered: the page is gone."""
        self._station.ending.end()
        self._station.close()

    def _open(self, command: CardCommand) -> CardSecrets | None:
        if command.secrets is None:
            return None
        try:
            opened = jwe.decrypt(command.secrets, self._keys.agree, typ=card_command.SECRETS_TYPE)
            secrets = card_command.SECRETS.parse(opened.reveal())
        except (Malformed, TooLarge) as error:
            raise CommandNotAdmitted(error.title, check="secrets") from None
        if secrets.card != command.card or command.act is CardAct.LOOK:
            raise CommandNotAdmitted("secrets of another card", check="secrets")
        return secrets
