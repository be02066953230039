"""Holders of activated keys for tests, and statements and assertions for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from inkan.client.authenticator import (
    AuthenticatorState,
    Backup,
    CreationOptions,
    Registration,
    RequestOptions,
    SoftwareAuthenticator,
)
from inkan.crypto import base64url, webauthn
from inkan.crypto.activation.book import Book
from inkan.crypto.activation.pinned import PinnedKeys
from inkan.crypto.activation.port import KeyOrder, MadeKey, Release
from inkan.crypto.key_files import EncryptedFileKeyProvider
from inkan.crypto.key_guard import GuardedKeys, rules_of
from inkan.crypto.key_providers import SIGNING_PURPOSES, KeyPairProvider, KeyPurpose
from inkan.crypto.keys import KeySpec
from inkan.kernel.clock import Clock
from inkan.kernel.sensitive import Secret
from inkan.wire import activation, statement

ORIGIN = "http://wallet.localhost:8480"
RP_ID = "wallet.localhost"
CHALLENGE = bytes(range(32))
CONTENTS = [
    {
        "id": "doc_1",
        "name": "return.pdf",
        "digest": base64url.encode(bytes(32)),
        "alg": "sha-256",
        "format": "statement",
        "tbs_sha256": None,
    }
]
RULES = rules_of(
    dict.fromkeys(SIGNING_PURPOSES, 1_000_000), {KeyPurpose.PHONE: {statement.STATEMENT_TYP}}
)


def files(folder: Path) -> EncryptedFileKeyProvider:
    """Keys in files."""
    return EncryptedFileKeyProvider(folder / "phone-keys", Secret("for tests"), cost=2**10)


@contextmanager
def holder(keys: KeyPairProvider, folder: Path) -> Iterator[PinnedKeys]:
    """A holder of the keys, its book in the folder."""
    clock = Clock()
    book = Book(folder / "book.jsonl", clock.now)
    guarded = GuardedKeys(keys, RULES, monotonic=clock.monotonic)
    try:
        yield PinnedKeys(guarded, book, activation.FORMATS, origin=ORIGIN, rp_id=RP_ID)
    finally:
        book.close()


class Passkey:
    """A phone's passkey, every ceremony of it in the test's hand."""

    def __init__(self, *, backup: Backup = Backup.DEVICE_BOUND, counts: bool = True) -> None:
        self.counts = counts
        self.state = AuthenticatorState()
        self.backup = backup
        self.registration = self.register()

    def authenticator(self, *, uv: bool = True) -> SoftwareAuthenticator:
        return SoftwareAuthenticator(self.state, verify_user=lambda _: uv, backup=self.backup)

    def register(
        self, *, origin: str = ORIGIN, rp_id: str = RP_ID, uv: bool = True
    ) -> Registration:
        options = CreationOptions(
            rp_id=rp_id, challenge=CHALLENGE, user_handle=bytes(32), user_verification=False
        )
        return self.authenticator(uv=uv).create(options, origin=origin)

    def order(self, owner: str = "enr_1", **members: Any) -> KeyOrder:
        """An order of two keys for this passkey."""
        made: Registration = members.pop("made", self.registration)
        said = {
            "id": base64url.encode(made.credential_id),
            "rawId": base64url.encode(made.credential_id),
            "type": "public-key",
            "response": {
                "clientDataJSON": base64url.encode(made.client_data_json),
                "attestationObject": base64url.encode(made.attestation_object),
            },
        }
        wanted = {
            "spec": KeySpec.P256,
            "uses": ("auth", "sign"),
            "registration": msgspec.json.encode(said),
            "challenge": CHALLENGE,
        }
        return KeyOrder(owner=owner, **(wanted | members))

    def asserts(
        self, challenge: bytes, *, origin: str = ORIGIN, rp_id: str = RP_ID, uv: bool = True
    ) -> webauthn.Assertion:
        """An assertion over a challenge."""
        options = RequestOptions(rp_id=rp_id, challenge=challenge, user_verification=False)
        if not self.counts:
            self.state.credentials[0].sign_count = -1
        made = self.authenticator(uv=uv).get(options, origin=origin)
        return webauthn.Assertion(
            credential_id=made.credential_id,
            client_data_json=made.client_data_json,
            authenticator_data=made.authenticator_data,
            signature=made.signature,
        )

    def statement(self, kind: str = "identify", *, number: int = 1, **members: Any) -> bytes:
        """A statement that names this passkey."""
        made = self.registration
        draft = {
            "v": 1,
            "iss": "http://id.localhost:8480",
            "kind": kind,
            "decision": "approve",
            "session": "ses_1",
            "system": "sys_1",
            "relying_party": {"id": "org_1", "name": "Tax Office", "domain": "tax.example"},
            "purpose": "login",
            "shown": {
                "template": f"{kind}.v1",
                "lang": "en",
                "text_sha256": base64url.encode(bytes(32)),
            },
            "claims": [],
            "challenge": base64url.encode(bytes(32)),
            "contents": CONTENTS if kind == "sign" else [],
            "door": "qr",
            "return_origin": None,
            "cert_sha256": base64url.encode(bytes(32)),
            "cred_sha256": statement.credential_sha256(made.credential_id, made.cose_key),
            "server_nonce": base64url.encode(bytes(32)),
            "phone_nonce": base64url.encode(bytes([number]) * 32),
            "at": "2026-04-01T01:00:00Z",
            **members,
        }
        said = msgspec.convert(draft, statement.Statement)
        return statement.STATEMENT.encode(said)

    def wish(self, key: MadeKey, content: bytes | None = None, **members: Any) -> Release:
        """A wish for a statement's signature, with a fresh assertion unless one is given."""
        content = content or self.statement()
        assertion = members.pop("assertion", None) or self.asserts(
            statement.statement_challenge(content)
        )
        wanted = {
            "spki_sha256": sha256(key.spki).digest(),
            "format": activation.STATEMENT,
            "content": content,
            "assertion": assertion,
        }
        return Release(**(wanted | members))
