"""Several providers as one: where a key pair is made follows from its purpose, where it is found from its label.

Secrets stay in the encrypted files, whatever holds the key pairs.
"""

from collections.abc import Collection, Mapping

from inkan.crypto.key_guard import GuardedKeys, KeyUses
from inkan.crypto.key_providers import (
    KeyExists,
    KeyPairProvider,
    KeyProvider,
    KeyPurpose,
    KeyPurposeRefused,
    KeyUnknown,
    verify_purposes,
)
from inkan.crypto.keys import KeySpec, PrivateKey, PublicKey
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Secret


class KeyRing(KeyProvider):
    """A provider that joins others.

    Attributes:
        places: the providers by name; a ceremony may say where it wants a key.
    """

    def __init__(
        self,
        places: Mapping[str, GuardedKeys],
        *,
        by_purpose: Mapping[KeyPurpose, str],
        secrets: KeyProvider,
    ) -> None:
        """Join ``places``; keys of a purpose are made in the place that ``by_purpose`` names."""
        self.places = dict(places)
        self._by_purpose = dict(by_purpose)
        self._secrets = secrets
        self._found: dict[str, str] = {}

    def generate(self, label: str, spec: KeySpec, purposes: Collection[KeyPurpose]) -> PublicKey:
        """Make a key pair where its purposes belong; see :meth:`KeyPairProvider.generate`."""
        first = min(verify_purposes(purposes))
        return self.generate_in(self._by_purpose[first], label, spec, purposes)

    def generate_in(
        self, place: str, label: str, spec: KeySpec, purposes: Collection[KeyPurpose]
    ) -> PublicKey:
        """Make a key pair in a place by name.

        Raises:
            KeyUnknown: there is no such place.
            KeyExists: some place has a key of this label.
        """
        if place not in self.places:
            raise KeyUnknown(f"no key provider is called {place}: see the settings keys.*")
        if self._find(label, self.places) is not None:
            raise KeyExists(label=label)
        public = self.places[place].generate(label, spec, purposes)
        self._found[label] = place
        return public

    def signer(self, label: str, purpose: KeyPurpose) -> PrivateKey:
        """Return the private key; see :meth:`KeyPairProvider.signer`."""
        return self._place_of(label, purpose).signer(label, purpose)

    def public_key(self, label: str) -> PublicKey:
        """Return the public half; see :meth:`KeyPairProvider.public_key`."""
        return self._place_of(label).public_key(label)

    def purposes(self, label: str) -> frozenset[KeyPurpose]:
        """Return what the key was made for; see :meth:`KeyPairProvider.purposes`."""
        return self._place_of(label).purposes(label)

    def labels(self) -> tuple[str, ...]:
        """Return the labels of all places, sorted."""
        everywhere = [self._secrets, *self.places.values()]
        return tuple(sorted({label for place in everywhere for label in place.labels()}))

    def secret(self, label: str, purpose: KeyPurpose, *, length: int = 32) -> Secret[bytes]:
        """Return the secret of this label; see :meth:`KeyProvider.secret`."""
        try:
            self._secrets.purposes(label)
        except KeyUnknown:
            # It would be made now: labels are of one kind, whichever place holds them.
            if self._find(label, self.places) is not None:
                raise KeyPurposeRefused(f"{label} is a key pair") from None
        return self._secrets.secret(label, purpose, length=length)

    def take_uses(self) -> list[KeyUses]:
        """Return what the keys of all places did since the last call."""
        return [each for place in self.places.values() for each in place.take_uses()]

    def put_back(self, uses: Collection[KeyUses]) -> None:
        """Count again what could not be recorded; in any place, as they are added up by label."""
        next(iter(self.places.values())).put_back(uses)

    def _place_of(self, label: str, purpose: KeyPurpose | None = None) -> KeyPairProvider:
        """The provider that has the label; the place of the purpose is asked first."""
        place = self._found.get(label)
        if place is None:
            first = self._by_purpose.get(purpose, "") if purpose else ""
            names = sorted(self.places, key=lambda name: (name != first, name))
            place = self._find(label, names)
        if place is None:
            # A secret has no public half and signs nothing, which its own provider says.
            return self._secrets
        self._found[label] = place
        return self.places[place]

    def _find(self, label: str, names: Collection[str]) -> str | None:
        """The place that has the label; a place that cannot be asked counts only if no other has it."""
        silent: InkanError | None = None
        for name in names:
            try:
                self.places[name].purposes(label)
            except KeyUnknown:
                continue
            except InkanError as error:
                silent = error
                continue
            return name
        if silent is not None:
            raise silent
        return None
