"""Back end B of the stand-in for the platform's phone side: keys that it holds, released once by each assertion."""

import json
from typing import Any

from inkan.crypto import base64url, jose, keys
from inkan.crypto.certificate_requests import build_csr
from inkan.crypto.jose import Algorithm
from inkan.wire import statement as statements
from support.phone_words import Refusal, b64, sha


class KeysElsewhere:
    """The part of the stand-in that holds keys; it is one with ``PhonePlatform``."""

    def __init__(self) -> None:
        self.batches: dict[str, dict[str, keys.PrivateKey]] = {}
        self.csrs: dict[str, dict[str, str]] = {}
        self.used: set[str] = set()
        self.silent_after_signing = 0

    def made(self, batch: str) -> dict[str, dict[str, str]]:
        """Requests and keys of a batch; the same batch again gets the same ones."""
        if batch not in self.batches:
            spec = keys.KeySpec(self.key_spec)
            made = {use: keys.generate(spec) for use in self.uses}
            self.batches[batch] = made
            self.csrs[batch] = {use: b64(build_csr(key)) for use, key in made.items()}
        spkis = {use: b64(keys.spki_der(k.public_key())) for use, k in self.batches[batch].items()}
        return {"csrs": self.csrs[batch], "spkis": spkis}

    def signed_elsewhere(self, body: dict[str, Any], use: str) -> str:
        """The JWS over the statement that an assertion releases."""
        assert set(body) == {"statement", "assertion"}
        data = base64url.decode(body["statement"])
        self.use_up(body["assertion"])
        certified = sha(self.spkis[use])
        key = next(
            key
            for batch in self.batches.values()
            for key in batch.values()
            if sha(keys.spki_der(key.public_key())) == certified
        )
        is_ec = self.key_spec == "P-256"
        return jose.sign_compact(
            data,
            key,
            alg=Algorithm.ES256 if is_ec else Algorithm.PS256,
            typ=statements.STATEMENT_TYP,
            header={"x5t#S256": statements.parse_statement(data).cert_sha256},
        )

    def use_up(self, assertion: dict[str, str]) -> None:
        """Take an assertion, once."""
        whole = json.dumps(assertion)
        if whole in self.used:
            raise Refusal(409, "activation_used")
        self.used.add(whole)
        if self.silent_after_signing:
            self.silent_after_signing -= 1
            raise Refusal(503, "phone_keys_unavailable")
