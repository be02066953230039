"""What a closed browser leaves on the disk of a bound phone: no certificate key, and the search finds what is there."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from inkan.client import RelyingParty
from inkan.crypto import base64url
from inkan.wire.session import Outcome
from journeys.wallet_window import WalletWindow
from support.browser import Chromium, Look
from support.founded import founded_country
from support.profile_keys import private_keys

pytestmark = pytest.mark.browser

# A certificate key as it would lie there without a wrap: the browser's own "not extractable" key of the same kind.
_UNWRAPPED = """async () => {
  const kind = { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: "SHA-256" };
  const pair = await crypto.subtle.generateKey(kind, false, ["sign", "verify"]);
  const database = await new Promise((resolve, reject) => {
    const request = indexedDB.open("control", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("keys");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  await new Promise((resolve, reject) => {
    const writing = database.transaction("keys", "readwrite", { durability: "strict" });
    writing.objectStore("keys").put(pair.privateKey, "control");
    writing.oncomplete = resolve;
    writing.onerror = () => reject(writing.error);
  });
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
  return btoa(String.fromCharCode(...spki)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}"""


@pytest.mark.req("TW-26", "TW-52")
async def test_the_profile_holds_no_certificate_key(tmp_path: Path, chromium: Chromium) -> None:
    async with founded_country(tmp_path / "home") as founded:
        wallet = await WalletWindow.open(
            chromium, founded.wallet_origin, Look(is_phone=True), profile="closed"
        )
        await wallet.bind(founded)
        async with RelyingParty(founded.credentials, anchors=founded.anchors) as agency:
            session = await agency.create_session("identify", purpose="file_return")
            await wallet.scan(session.frame)
            await wallet.approve()  # the key was unwrapped and used
            assert (await session.wait()).outcome is Outcome.OK
            bundle, _ = await session.evidence()
        control = base64url.decode(await wallet.window.evaluate(_UNWRAPPED))
        await chromium.close()
    used = x509.load_der_x509_certificate(base64url.decode(bundle.certificates[0]))
    own = used.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    found = private_keys(tmp_path / "closed")
    assert control in found, "the search finds a key that is not wrapped"
    assert own not in found
    kinds = [len(spki) for spki in found - {control}]
    assert all(size < 100 for size in kinds), "what else is there is P-256: the channel key"
