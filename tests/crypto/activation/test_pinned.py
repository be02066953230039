"""A key is released by its own passkey's assertion over the very content, once: beside the keys, whoever asks."""

import asyncio
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from inkan.client.authenticator import Backup
from inkan.crypto import base64url, jose
from inkan.crypto.activation.pinned import PinnedKeys
from inkan.crypto.activation.port import (
    ActivatedKeys,
    ActivatedKeyUnknown,
    ActivationRefused,
    ActivationUsed,
    MadeKey,
    Release,
)
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.crypto.foreign_keys import SignatureScheme, sign_message
from inkan.crypto.key_guard import SigningRefused
from inkan.crypto.key_providers import (
    KeyDeviceBusy,
    KeyExists,
    KeyPairProvider,
    KeyPurpose,
    KeyPurposeRefused,
    KeyStoreLocked,
)
from inkan.crypto.keys import KeySpec, load_public
from inkan.crypto.remote import messages
from inkan.crypto.remote.activation import RemoteActivatedKeys
from inkan.crypto.remote.client import RemoteKeyProvider
from inkan.kernel.clock import Clock
from inkan.wire import statement
from support.activation import Passkey, files, holder
from support.signer import signer_thread
from support.softhsm import token_in


@pytest.fixture(params=["file", "pkcs11"])
def provider(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeyPairProvider]:
    if request.param == "file":
        yield files(tmp_path)
        return
    with token_in(tmp_path) as token:
        keys = token.open()
        yield keys
        keys.close()


@pytest.fixture
def pinned(provider: KeyPairProvider, tmp_path: Path) -> Iterator[PinnedKeys]:
    with holder(provider, tmp_path) as made:
        yield made


@pytest.fixture
def remote(pinned: PinnedKeys, tmp_path: Path) -> Iterator[RemoteKeyProvider]:
    """The signer process that holds them, and the platform's side of its socket."""
    with signer_thread(files(tmp_path / "others"), tmp_path / "signer", activated=pinned) as path:
        made = RemoteKeyProvider(path, monotonic=Clock().monotonic, deadline_s=10)
        yield made
        made.close()


@pytest.fixture(params=["here", "signer"])
def keys(request: pytest.FixtureRequest, pinned: PinnedKeys) -> ActivatedKeys:
    if request.param == "here":
        return pinned
    return RemoteActivatedKeys(request.getfixturevalue("remote"))


async def made_by(keys: ActivatedKeys, passkey: Passkey, **members: Any) -> tuple[MadeKey, ...]:
    return await keys.make(passkey.order(**members))


async def check_of(call: Any) -> str:
    with pytest.raises(ActivationRefused) as refused:
        await call
    check: str = refused.value.facts["check"]
    return check


async def test_a_key_proves_itself_and_signs_what_its_person_confirmed(keys: ActivatedKeys) -> None:
    passkey = Passkey()
    auth, sign = await made_by(keys, passkey)
    assert (auth.use, sign.use, auth.spki != sign.spki) == ("auth", "sign", True)
    for key in (auth, sign):
        assert verify_csr(parse_csr(key.csr)).spki == key.spki
    wish = passkey.wish(auth)
    jws = (await keys.release(wish)).decode()
    token = jose.parse_compact(
        jws, typ=statement.STATEMENT_TYP, required=("x5t#S256",), limit=9_999
    )
    assert token.payload == wish.content
    assert token.header["x5t#S256"] == base64url.encode(bytes(32))
    jose.verify_signature(token, load_public(auth.spki), algs=[jose.Algorithm.ES256])


async def test_an_rsa_key_signs_as_taiwans_phones_do(keys: ActivatedKeys) -> None:
    passkey = Passkey()
    (key,) = await made_by(keys, passkey, spec=KeySpec.RSA2048, uses=("single",))
    jws = (await keys.release(passkey.wish(key))).decode()
    token = jose.parse_compact(
        jws, typ=statement.STATEMENT_TYP, required=("x5t#S256",), limit=9_999
    )
    jose.verify_signature(token, load_public(key.spki), algs=[jose.Algorithm.PS256])


async def test_an_assertion_releases_one_signature(keys: ActivatedKeys) -> None:
    passkey = Passkey()
    auth, _ = await made_by(keys, passkey)
    wish = passkey.wish(auth)
    await keys.release(wish)
    with pytest.raises(ActivationUsed):
        await keys.release(wish)


async def test_of_two_at_once_one_is_signed(keys: ActivatedKeys) -> None:
    passkey = Passkey()
    auth, _ = await made_by(keys, passkey)
    wish = passkey.wish(auth)
    ends = await asyncio.gather(*[keys.release(wish) for _ in range(6)], return_exceptions=True)
    assert sum(isinstance(end, bytes) for end in ends) == 1
    assert sum(isinstance(end, ActivationUsed) for end in ends) == 5


async def test_an_assertion_for_other_bytes_releases_nothing(keys: ActivatedKeys) -> None:
    passkey = Passkey()
    auth, _ = await made_by(keys, passkey)
    other = passkey.statement(number=2)
    assertion = passkey.asserts(statement.statement_challenge(passkey.statement(number=1)))
    assert await check_of(keys.release(passkey.wish(auth, other, assertion=assertion))) == (
        "challenge"
    )


async def test_another_phones_passkey_releases_nothing(keys: ActivatedKeys) -> None:
    passkey, other = Passkey(), Passkey()
    auth, _ = await made_by(keys, passkey)
    await made_by(keys, other, owner="enr_2")
    content = passkey.statement()
    assertion = other.asserts(statement.statement_challenge(content))
    assert await check_of(keys.release(passkey.wish(auth, content, assertion=assertion))) == (
        "credential_id"
    )
    # Not under the pinned credential's name either: the key of the signature is pinned too.
    forged = msgspec.structs.replace(assertion, credential_id=passkey.registration.credential_id)
    assert await check_of(keys.release(passkey.wish(auth, content, assertion=forged))) == (
        "signature"
    )


async def test_a_statement_of_another_phone_is_not_signed(keys: ActivatedKeys) -> None:
    passkey, other = Passkey(), Passkey()
    auth, _ = await made_by(keys, passkey)
    content = other.statement()
    assert await check_of(keys.release(passkey.wish(auth, content))) == "content"


@pytest.mark.parametrize(("kind", "use"), [("sign", 0), ("identify", 1), ("approve", 1)])
async def test_each_key_signs_its_own_kinds(keys: ActivatedKeys, kind: str, use: int) -> None:
    passkey = Passkey()
    key = (await made_by(keys, passkey))[use]
    assert await check_of(keys.release(passkey.wish(key, passkey.statement(kind)))) == "use"


@pytest.mark.parametrize(
    ("bent", "check"),
    [
        ({"origin": "http://evil.wallet.localhost:8480"}, "origin"),
        ({"uv": False}, "user_verified"),
    ],
)
@pytest.mark.req("TW-52")
async def test_an_assertion_must_hold_in_every_part(
    keys: ActivatedKeys, bent: dict[str, Any], check: str
) -> None:
    passkey = Passkey()
    auth, _ = await made_by(keys, passkey)
    content = passkey.statement()
    assertion = passkey.asserts(statement.statement_challenge(content), **bent)
    assert await check_of(keys.release(passkey.wish(auth, content, assertion=assertion))) == check


async def test_a_counter_that_fell_back_is_a_copy(keys: ActivatedKeys) -> None:
    passkey = Passkey()
    auth, _ = await made_by(keys, passkey)
    early = passkey.wish(auth, passkey.statement(number=1))
    late = passkey.wish(auth, passkey.statement(number=2))
    await keys.release(late)
    assert await check_of(keys.release(early)) == "sign_count"


async def test_a_passkey_that_never_counts_is_used_once_each_all_the_same(
    keys: ActivatedKeys,
) -> None:
    passkey = Passkey(backup=Backup.SYNCED, counts=False)
    auth, _ = await made_by(keys, passkey)
    first, second = (passkey.wish(auth, passkey.statement(number=each)) for each in (1, 2))
    await keys.release(first)
    await keys.release(second)
    with pytest.raises(ActivationUsed):
        await keys.release(first)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"not json", b'{"v":1}', bytes(64), b"\xff" * 200],
)
async def test_nothing_but_the_contents_of_the_table_is_signed(
    keys: ActivatedKeys, content: bytes
) -> None:
    passkey = Passkey()
    auth, _ = await made_by(keys, passkey)
    assertion = passkey.asserts(statement.statement_challenge(content))
    for kind, check in (("statement", "content"), ("renewal", "content"), ("raw", "format")):
        wish = Release(
            spki_sha256=sha256(auth.spki).digest(),
            format=kind,
            content=content,
            assertion=assertion,
        )
        assert await check_of(keys.release(wish)) == check


async def test_the_same_order_gets_the_same_keys_and_no_other_does(keys: ActivatedKeys) -> None:
    passkey = Passkey()
    first = await made_by(keys, passkey)
    assert await made_by(keys, passkey) == first
    with pytest.raises(KeyExists):
        await made_by(keys, Passkey())  # another passkey under the same owner
    with pytest.raises(KeyExists):
        await made_by(keys, passkey, spec=KeySpec.RSA2048)


@pytest.mark.parametrize(
    ("bent", "check"),
    [({"origin": "http://evil.wallet.localhost:8480"}, "origin"), ({"uv": False}, "user_verified")],
)
async def test_a_registration_must_hold(
    keys: ActivatedKeys, bent: dict[str, Any], check: str
) -> None:
    passkey = Passkey()
    order = passkey.order(made=passkey.register(**bent))
    assert await check_of(keys.make(order)) == check


async def test_keys_of_a_renewal_follow_the_old_ones_passkey(keys: ActivatedKeys) -> None:
    passkey = Passkey()
    old, _ = await made_by(keys, passkey)
    follows = sha256(old.spki).digest()
    more = {"registration": b"", "challenge": b"", "follows": follows}
    (new, _) = await made_by(keys, passkey, owner="rnw_1", **more)
    await keys.release(passkey.wish(new))
    with pytest.raises(ActivatedKeyUnknown):
        await made_by(keys, passkey, owner="rnw_2", **(more | {"follows": bytes(32)}))


async def test_an_ended_key_signs_nothing(keys: ActivatedKeys) -> None:
    passkey = Passkey()
    auth, sign = await made_by(keys, passkey)
    for _ in range(2):
        await keys.end(sha256(auth.spki).digest())
    with pytest.raises(ActivatedKeyUnknown):
        await keys.release(passkey.wish(auth))
    await keys.release(passkey.wish(sign, passkey.statement("sign")))
    await keys.end(bytes(32))


async def test_what_was_used_and_ended_is_known_after_a_restart(
    provider: KeyPairProvider, tmp_path: Path
) -> None:
    passkey = Passkey()
    with holder(provider, tmp_path) as before:
        auth, sign = await made_by(before, passkey)
        used, early = passkey.wish(auth), passkey.wish(auth, passkey.statement(number=2))
        late = passkey.wish(auth, passkey.statement(number=3))
        await before.release(used)
        await before.release(late)
        await before.end(sha256(sign.spki).digest())
    with holder(provider, tmp_path) as after:
        assert await made_by(after, passkey) == (auth, sign)
        with pytest.raises(ActivationUsed):
            await after.release(used)
        assert await check_of(after.release(early)) == "sign_count"
        with pytest.raises(ActivatedKeyUnknown):
            await after.release(passkey.wish(sign, passkey.statement("sign")))


async def test_a_key_that_a_crash_left_without_its_line_is_taken_over(
    provider: KeyPairProvider, tmp_path: Path
) -> None:
    provider.generate("enr_1.auth", KeySpec.P256, {KeyPurpose.PHONE})
    provider.generate("enr_2.auth", KeySpec.P256, {KeyPurpose.OCSP})
    passkey = Passkey()
    with holder(provider, tmp_path) as keys:
        auth, _ = await made_by(keys, passkey)
        assert load_public(auth.spki) == provider.public_key("enr_1.auth")
        with pytest.raises(KeyExists):  # a key that was made for something else is not
            await made_by(keys, passkey, owner="enr_2")


async def test_without_its_book_the_holder_signs_nothing(
    pinned: PinnedKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: bytes, *, synced: bool) -> None:
        raise OSError("no space left")

    passkey = Passkey()
    auth, _ = await made_by(pinned, passkey)
    wish = passkey.wish(auth)
    with monkeypatch.context() as patch:
        patch.setattr(pinned._book._file, "append", full)
        with pytest.raises(KeyStoreLocked):
            await pinned.release(wish)
    await pinned.release(wish)


# --- what a platform can have done to it that was taken over ------------------------------------------


def test_the_signer_signs_nothing_by_a_phones_key_without_an_assertion(
    remote: RemoteKeyProvider, pinned: PinnedKeys, provider: KeyPairProvider
) -> None:
    passkey = Passkey()
    asyncio.run(made_by(pinned, passkey))
    jws_input = b"eyJ0eXAiOiJpbmthbi1zdGF0ZW1lbnQrandzIn0.e30"
    for label in ("enr_1.auth", "anything"):
        request = messages.Sign(label, KeyPurpose.PHONE, SignatureScheme.ECDSA_SHA256, jws_input)
        with pytest.raises(SigningRefused) as refused:
            remote.ask(request, messages.Signature)
        assert refused.value.facts["rule"] == "activation"
    with pytest.raises(SigningRefused):
        remote.generate("enr_9.auth", KeySpec.P256, {KeyPurpose.PHONE})
    # The guard alone would let it pass: what stops it is the assertion that is missing.
    assert sign_message(
        provider.signer("enr_1.auth", KeyPurpose.PHONE), jws_input, SignatureScheme.ECDSA_SHA256
    )


def test_a_signer_without_keys_of_phones_says_so(tmp_path: Path) -> None:
    with signer_thread(files(tmp_path), tmp_path / "signer") as path:
        remote = RemoteKeyProvider(path, monotonic=Clock().monotonic)
        with pytest.raises(KeyPurposeRefused):
            asyncio.run(RemoteActivatedKeys(remote).make(Passkey().order()))
        remote.close()


def test_an_answer_that_got_lost_is_not_asked_for_twice(
    remote: RemoteKeyProvider, pinned: PinnedKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    passkey = Passkey()
    auth, _ = asyncio.run(made_by(pinned, passkey))
    wishes: list[Release] = []
    release = pinned.release

    async def lost(wish: Release) -> bytes:
        wishes.append(wish)
        await release(wish)
        raise messages.SignerMessageMalformed("hangs up")

    monkeypatch.setattr(pinned, "release", lost)
    monkeypatch.setattr(messages, "refusal_of", _hang_up)
    with pytest.raises((KeyStoreLocked, KeyDeviceBusy)):
        asyncio.run(RemoteActivatedKeys(remote).release(passkey.wish(auth)))
    assert len(wishes) == 1


def _hang_up(_: Exception) -> messages.Refusal:
    raise TimeoutError
