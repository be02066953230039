"""The manage program's dialog by pinentry: the person sets a PIN, or types the one that was set."""

from inkan.client.card_agent.dialog import Ending, Question
from inkan.client.card_agent.pinentry import Pinentry, Talk
from inkan.client.card_agent.words import PIN_FORMS, WORDS, Word, tries
from inkan.client.card_manager.dialog import PINAsked
from inkan.client.card_manager.words import ASKING, Asking
from inkan.kernel.sensitive import Secret


class ManagerPinentry(Pinentry):
    """A :class:`~inkan.client.card_manager.dialog.ManagerDialog`."""

    def new_pin(self, asked: PINAsked, ending: Ending) -> Secret[str]:
        """Ask for the new one as the agent does."""
        with self.talk(ending) as talk:
            self._begin(talk, asked, Asking.SET)
            return self.ask_new(talk, asked.known)

    def pin(self, asked: PINAsked, ending: Ending) -> Secret[str]:
        """Ask for the one that was set."""
        with self.talk(ending) as talk:
            self._begin(talk, asked, Asking.TYPE)
            talk.say("SETPROMPT", self.word(Word.PIN))
            return talk.ask()

    def _begin(self, talk: Talk, asked: PINAsked, asking: Asking) -> None:
        lines = [
            ASKING[asking][self.language].format(origin=asked.origin, card=asked.card),
            PIN_FORMS[asked.use][self.language],
        ]
        if asked.tries_left is not None:
            question = Question(origin=asked.origin, key=asked.use, tries_left=asked.tries_left)
            lines.append(tries(question, self.language))
        talk.say("SETTITLE", WORDS[Word.TITLE][self.language])
        talk.say("SETDESC", "\n".join(lines))
