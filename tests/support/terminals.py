"""A counter's terminal in this process: the manage program, a reader with the test card, and a person who types."""

from datetime import timedelta
from pathlib import Path

from inkan.client.card import CardRequestDeclined
from inkan.client.card_manager import CardManager, ManagerConfiguration, TerminalKeys
from inkan.client.piv_layout import KeyUse
from inkan.crypto import base64url, jose, jwe, jwk
from inkan.crypto.jose import Algorithm
from inkan.kernel.clock import Clock, rfc3339
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret
from inkan.wire import card_command
from inkan.wire.card_command import CardAct, CardAnswer, CardCommand, CardSecrets
from support.card_in_process import ReaderInProcess
from support.keyring import ec_key
from support.piv_applet import PivApplet

ORIGIN = "https://id.example"
PINS = {KeyUse.SIGNATURE: "Neu777", KeyUse.AUTHENTICATION: "3907"}


class Person:
    """Types PINs in the dialog.

    Attributes:
        asked: what the dialog said, in order.
        meanwhile: called while the dialog is open.
    """

    def __init__(self, pins: dict[KeyUse, str] | None = None) -> None:
        self.pins = dict(pins or PINS)
        self.asked = []
        self.declines = False
        self.meanwhile = lambda: None

    def new_pin(self, asked, ending):
        return self._type(asked, ending)

    def pin(self, asked, ending):
        return self._type(asked, ending)

    def _type(self, asked, ending):
        self.asked.append(asked)
        self.meanwhile()
        if self.declines or ending.has_ended:
            raise CardRequestDeclined
        return Secret(self.pins[asked.use])


def new_card(secrets: CardSecrets) -> PivApplet:
    """A blank card as its maker delivers it: with the issuer's keys, and PINs that nobody knows."""
    return PivApplet(
        signature_pin=random_bytes(8).hex(),
        authentication_pin="0000",
        number=bytes.fromhex(secrets.card),
        unlock_key=secrets.unlock_key,
        management_key=base64url.decode(secrets.management_key),
    )


def some_secrets() -> CardSecrets:
    """Secrets of a card that no instance knows."""
    return CardSecrets(
        card=(b"\xca" + random_bytes(14) + b"\x0d").hex(),
        management_key=base64url.encode(random_bytes(32)),
        unlock_key="ABCDEFG2",
    )


class Terminal:
    """One terminal with a platform's key of its own, or with an instance's configuration."""

    def __init__(
        self,
        folder: Path,
        *,
        applet: PivApplet | None = None,
        configuration: dict | None = None,
        keys: TerminalKeys | None = None,
        clock: Clock | None = None,
        **options,
    ) -> None:
        self.platform = ec_key()
        self.keys = keys or TerminalKeys.generate()
        self.configuration = ManagerConfiguration(
            **(
                configuration
                or {
                    "iss": ORIGIN,
                    "origin": ORIGIN,
                    "terminal": "term_1",
                    "keys": (jwk.to_jwk(self.platform.public_key()),),
                }
            )
        )
        self.clock = clock or Clock()
        self.person = Person()
        self.reader = ReaderInProcess(applet)
        self.options = options
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.start()

    def start(self) -> None:
        """Start the program, anew."""
        self.manager = CardManager(
            self.configuration,
            self.keys,
            self.reader,
            self.person,
            folder=self.folder,
            clock=self.clock,
            **self.options,
        )

    def run(self, token: str, *, origin: str | None = None) -> str:
        return self.manager.run(token, origin=origin or self.configuration.origin)

    def do(self, act: CardAct, secrets: CardSecrets | None = None, **members) -> CardAnswer:
        """Give a command of the platform's key and return the believed answer."""
        return self.read(self.run(self.command(act, secrets, **members)))

    def read(self, answer: str) -> CardAnswer:
        verified = jose.verify_compact(
            answer,
            self.keys.sign.public_key(),
            algs=(Algorithm.ES256,),
            typ=card_command.ANSWER_TYPE,
        )
        return card_command.parse_answer(verified.payload)

    def command(
        self,
        act: CardAct,
        secrets: CardSecrets | None = None,
        *,
        key=None,
        kid=None,
        typ: str = card_command.COMMAND_TYPE,
        sealed: str | None = None,
        life: timedelta = timedelta(minutes=3),
        **members,
    ) -> str:
        """A command, good unless ``members`` say otherwise."""
        if secrets is not None:
            members.setdefault("card", secrets.card)
            members["secrets"] = sealed or (
                jwe.encrypt(
                    Secret(card_command.SECRETS.encode(secrets)),
                    self.keys.agree.public_key(),
                    typ=card_command.SECRETS_TYPE,
                )
            )
        command = CardCommand(
            **{
                "iss": self.configuration.iss,
                "origin": self.configuration.origin,
                "terminal": self.configuration.terminal,
                "login": base64url.encode(bytes(32)),
                "case": "case_1",
                "act": act,
                "nonce": base64url.encode(random_bytes(32)),
                "expires_at": rfc3339(self.clock.wire_now() + life),
                **members,
            }
        )
        key = key or self.platform
        return jose.sign_compact(
            card_command.COMMAND.encode(command),
            key,
            alg=Algorithm.ES256,
            typ=typ,
            header={"kid": kid or jwk.thumbprint(self.platform.public_key())},
        )
