"""Commands to card programs, and what comes back.

A page carries both and is believed in nothing: a command is signed by the platform for one terminal, one login of a
clerk, one case, one act and one card; its answer is signed by that terminal and names the command's nonce. A case
waits for one answer at a time: a new command takes the place of the one before.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from inkan.counter.model import (
    CardAnswerRefused,
    CardNumberUnknown,
    Case,
    CaseOutOfOrder,
    Clerk,
    CounterEntryMalformed,
)
from inkan.counter.rules import COMMAND_LIFE
from inkan.counter.rules.commands import ACTS, ANSWER_LIFE, ActRow
from inkan.counter.service.card_secrets import SecretsOfCards
from inkan.counter.service.cases import Cases
from inkan.counter.service.parts import Parts
from inkan.counter.service.reading import actor_of
from inkan.counter.service.terminals import Terminal, Terminals
from inkan.counter.store import commands as store
from inkan.crypto import base64url, jose, jwe, jwk
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.foreign_keys import signing
from inkan.crypto.jose import Algorithm, UnverifiedJWS
from inkan.kernel.clock import rfc3339
from inkan.kernel.errors import Malformed, TooLarge, Unauthenticated
from inkan.kernel.ids import random_bytes
from inkan.store.database import MOMENT, Step
from inkan.wire import card_command
from inkan.wire.card_command import CardAct, CardAnswer, CardCommand

TOKEN_LIMIT: Final = 2 * card_command.LIMIT
BOTH_KEYS: Final = ("signature", "authentication")
NONCE_OCTETS: Final = 32
_JPEG: Final = b"\xff\xd8\xff"


class Taken(NamedTuple):
    """An answer that is believed, in the transaction that takes it.

    Attributes:
        case: as it is held.
        keys: SubjectPublicKeyInfo by key, proved.
    """

    clerk: Clerk
    case: Case
    said: CardAnswer
    keys: Mapping[str, bytes]


Take = Callable[[Taken], Step[Case]]


class Commands:
    """Gives commands and takes answers.

    Args:
        parts: shared.
        cases: whose steps the answers take.
        terminals: who carries commands out.
        secrets: what opens cards.
    """

    def __init__(
        self, parts: Parts, *, cases: Cases, terminals: Terminals, secrets: SecretsOfCards
    ) -> None:
        self._parts = parts
        self._cases = cases
        self._terminals = terminals
        self._secrets = secrets
        # Total over the acts: whoever adds one says here what its answer does.
        self._takes: Mapping[CardAct, Take] = {
            CardAct.LOOK: _stay,
            CardAct.MAKE_KEYS: self._keys_made,
            CardAct.WRITE: self._written,
            CardAct.UNLOCK: self._unlocked,
            CardAct.CLEAR: _stay,
        }

    async def give(
        self,
        clerk: Clerk,
        case_id: str,
        act: CardAct,
        *,
        login: str,
        terminal: str,
        card: str | None = None,
        keys: tuple[str, ...] = BOTH_KEYS,
        photo: bytes | None = None,
    ) -> str:
        """Return a command for the card program of a terminal, a compact JWS; it holds for three minutes.

        Plan:
            1. In one transaction: the case is open and held, the clerk is on duty at its office, the terminal is in
               service there, the act is next, the card may be used in this case; the command is noted, and the one
               before it forgotten.
            2. Certificates, for the act that writes them.
            3. The card's secrets, encrypted to the terminal; where PINs are set, the holder's birth date with them.
            4. Sign.

        Args:
            clerk: who acts.
            case_id: the case.
            act: what to do.
            login: id of the clerk's login; the answer is taken from this login only.
            terminal: id of the terminal, as its card program tells it.
            card: number of the card in the reader, as the card program tells it; needed but for ``look``.
            keys: whose PIN is set anew by ``unlock``.
            photo: JPEG of the holder's face that ``write`` puts into the card; it is kept nowhere else (WAT-50).

        Raises:
            CounterEntryMalformed: the photo is no JPEG, has more than 12 KiB, or comes with another act.
            CaseUnknown, CaseExpired, CaseOutOfOrder, ClerkNotOnDuty, TerminalUnknown, CardNumberUnknown, CardTaken,
            SecondClerkNeeded and their like: step 1.
            KeyBudgetSpent, KeyStoreLocked and their like: the platform cannot sign now.
        """
        row = ACTS[act]
        if photo is not None:
            _verify_photo(photo, act)
        number = _number(card) if row.needs_card else None
        nonce = random_bytes(NONCE_OCTETS)
        mark = _mark(nonce, _digest(login), number)
        case, to, born = await self._parts.db.transact(  # 1
            self._note, clerk, case_id, act, terminal=terminal, card=number, mark=mark
        )
        command = CardCommand(
            iss=self._parts.issuer,
            origin=self._parts.issuer,
            terminal=to.id,
            login=base64url.encode(_digest(login)),
            case=case.id,
            act=act,
            card=number,
            keys=keys if act is CardAct.UNLOCK else (),
            nonce=base64url.encode(nonce),
            expires_at=rfc3339(self._parts.clock.wire_now() + COMMAND_LIFE),
        )
        if act is CardAct.WRITE:
            command = await self._with_certificates(command, case)  # 2
            if photo is not None:
                command = msgspec.structs.replace(command, photo=base64url.encode(photo))
        if number is not None:  # 3
            sealed = jwe.encrypt(
                self._secrets.document(number, born), to.agree, typ=card_command.SECRETS_TYPE
            )
            command = msgspec.structs.replace(command, secrets=sealed)
        return await self._sign(command)  # 4

    async def take(self, clerk: Clerk, case_id: str, answer: str, *, login: str) -> Case:
        """Take a card program's answer and return the case as it then stands.

        Plan:
            1. A compact JWS of the type of answers; its payload is an answer of version 1 about this case.
            2. The signature is that of the terminal that the waiting command went to, which is in service still.
            3. The keys that the card made are proved by their requests.
            4. In one transaction: the case is held, the waiting command is this answer's (nonce, login, card, act,
               terminal) and is used up, the case takes the step.

        Raises:
            CardAnswerRefused: steps 1, 2 and 4: ``check`` says which.
            CSRMalformed, CSRSignatureWrong, WeakKey: step 3.
            CaseUnknown, CaseExpired, CaseOutOfOrder, ClerkNotOnDuty, CardTaken and their like: step 4.
        """
        token = _parse(answer)  # 1
        said = _read(token)
        if said.case != case_id:
            raise CardAnswerRefused(check="case")
        terminal = await self._parts.db.read(self._asked, clerk, said)  # 2
        try:
            jose.verify_signature(token, terminal.sign, algs=(Algorithm.ES256,))
        except Unauthenticated:
            raise CardAnswerRefused(check="signature") from None
        is_made = said.act is CardAct.MAKE_KEYS
        keys = self._cases.proven_keys(said.requests) if is_made else {}  # 3
        return await self._parts.db.transact(self._take, clerk, said, _digest(login), keys)  # 4

    # --- giving ------------------------------------------------------------------------------------

    def _note(
        self,
        clerk: Clerk,
        case_id: str,
        act: CardAct,
        *,
        terminal: str,
        card: str | None,
        mark: bytes,
    ) -> Step[tuple[Case, Terminal, date | None]]:
        case = yield from self._cases.held(clerk, case_id)
        to = yield from self._terminals.of(case.office, terminal)
        self._verify_act(case, ACTS[act])
        if card is not None:
            yield from self._cases.verify_card(case, card)
        yield from self._parts.audit.record(
            "counter.command_given",
            actor=actor_of(clerk),
            subject=case.person,
            object=case.id,
            details={"act": act.value, "terminal": to.id, "card": card},
        )
        moment = yield MOMENT
        yield store.SET_COMMAND.run(
            key=case.id, mark=mark, act=act.value, terminal=to.id, until=moment + ANSWER_LIFE
        )
        born = (yield from self._birth_date(case)) if ACTS[act].sets_pins else None
        return case, to, born

    def _birth_date(self, case: Case) -> Step[date]:
        """The holder's: it is no PIN (JPKI-30)."""
        identity = yield from self._parts.people.get_identity(case.person)
        return identity.birth_date

    def _verify_act(self, case: Case, row: ActRow) -> None:
        if row.step is not None:
            self._cases.verify_step(case, row.step)
        elif case.kind not in row.kinds or case.state not in row.states:
            raise CaseOutOfOrder(state=case.state.value)

    async def _with_certificates(self, command: CardCommand, case: Case) -> CardCommand:
        issued = {
            key: await self._parts.pki.certificate(id_) for key, id_ in case.certificates.items()
        }
        chains = dict.fromkeys(der for each in issued.values() for der in each.chain)
        issuers = (*_roots(self._parts.pki.anchors(), chains), *chains)
        return msgspec.structs.replace(
            command,
            certificates={key: base64url.encode(each.der) for key, each in issued.items()},
            issuers=tuple(map(base64url.encode, issuers)),
        )

    async def _sign(self, command: CardCommand) -> str:
        payload = card_command.COMMAND.encode(command)
        key = await self._terminals.command_key()
        header = {"kid": jwk.thumbprint(key.public_key())}
        sign = partial(
            jose.sign_compact,
            payload,
            key,
            alg=Algorithm.ES256,
            typ=card_command.COMMAND_TYPE,
            header=header,
        )
        return await signing(key, sign)

    # --- taking ------------------------------------------------------------------------------------

    def _asked(self, clerk: Clerk, said: CardAnswer) -> Step[Terminal]:
        """The terminal that the waiting command went to; whether the answer is its own is seen by its signature."""
        row = yield store.PENDING.one(key=said.case)
        if row is None or row.command_terminal is None:
            raise CardAnswerRefused(check="command")
        if row.command_terminal != said.terminal:
            raise CardAnswerRefused(check="terminal")
        return (yield from self._terminals.of(clerk.office, row.command_terminal))

    def _take(
        self, clerk: Clerk, said: CardAnswer, login: bytes, keys: Mapping[str, bytes]
    ) -> Step[Case]:
        case = yield from self._cases.held(clerk, said.case)
        # Between reading and now it may have been taken out of service.
        yield from self._terminals.of(case.office, said.terminal)
        card = said.card if ACTS[said.act].needs_card else None
        taken = yield store.TAKE_COMMAND.run(
            key=case.id,
            mark=_mark(base64url.decode(said.nonce), login, card),
            act=said.act.value,
            terminal=said.terminal,
        )
        if not taken:
            raise CardAnswerRefused(check="command")
        return (yield from self._takes[said.act](Taken(clerk, case, said, keys)))

    def _keys_made(self, taken: Taken) -> Step[Case]:
        return self._cases.keys_made(taken.case, taken.said.card, taken.keys, clerk=taken.clerk)

    def _written(self, taken: Taken) -> Step[Case]:
        said = taken.said
        return self._cases.written(taken.case, said.card, said.certificates, clerk=taken.clerk)

    def _unlocked(self, taken: Taken) -> Step[Case]:
        return self._cases.unlocked(taken.case, taken.said.card, clerk=taken.clerk)


def _stay(taken: Taken) -> Step[Case]:
    """The case stays where it is."""
    yield from ()
    return taken.case


def _parse(answer: str) -> UnverifiedJWS:
    try:
        return jose.parse_compact(answer, typ=card_command.ANSWER_TYPE, limit=TOKEN_LIMIT)
    except (Malformed, TooLarge) as error:
        raise CardAnswerRefused(error.detail, check="form") from None


def _read(token: UnverifiedJWS) -> CardAnswer:
    """What it claims; believed when the signature holds."""
    try:
        return card_command.parse_answer(token.payload)
    except (Malformed, TooLarge) as error:
        raise CardAnswerRefused(error.detail, check="form") from None


def _verify_photo(photo: bytes, act: CardAct) -> None:
    is_photo = photo.startswith(_JPEG) and len(photo) <= card_command.PHOTO_LIMIT
    if act is not CardAct.WRITE or not is_photo:
        raise CounterEntryMalformed(where="photo")


def _number(card: str | None) -> str:
    try:
        return msgspec.convert(card, card_command.CardNumber)
    except msgspec.ValidationError:
        raise CardNumberUnknown from None


def _mark(nonce: bytes, login: bytes, card: str | None) -> bytes:
    """What a case keeps of a command: its nonce, the login that it was given to and the card that it is for."""
    return hashlib.sha256(nonce + login + bytes.fromhex(card or "")).digest()


def _digest(login: str) -> bytes:
    return hashlib.sha256(login.encode()).digest()


def _roots(anchors: list[bytes], chains: Mapping[bytes, Any]) -> list[bytes]:
    """The self-signed certificates above these issuers; the handbook prints their thumbprints (JPKI-36)."""
    above = {parse_certificate(der).issuer for der in chains}
    return [der for der in anchors if parse_certificate(der).subject in above]
