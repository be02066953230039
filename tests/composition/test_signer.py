"""The signer process and an instance that asks it: a ceremony, a working day, a crash."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from inkan.composition.settings import Database, Environment, Keys, Remote, Settings, SettingsWrong
from inkan.composition.signer import JOURNAL_FILE, signing_process
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.foreign_keys import SignatureScheme, sign_message
from inkan.crypto.key_guard import SigningRefused
from inkan.crypto.key_providers import KeyPurpose, KeyStoreLocked
from inkan.crypto.keys import KeySpec
from inkan.crypto.remote.journal import read_journal
from inkan.pki.model import Role
from inkan.pki.service import ceremony
from support.instances import demo_ceremony, instance
from support.orders import order_of

ORIGIN = "http://id.localhost:8480"


class Pair:
    """Settings of a platform and of its signer."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "signer"
        self.socket = self.home / "signer.sock"
        url = f"sqlite:///{folder / 'platform' / 'inkan.db'}"
        self.platform = Settings(
            environment=Environment.DEMO,
            home=str(folder / "platform"),
            keys=Keys(authorities="remote", signers="remote"),
            remote=Remote(socket=str(self.socket)),
        )
        self.signer = Settings(
            environment=Environment.DEMO, home=str(self.home), database=Database(url=url)
        )

    @contextmanager
    def running(self, *, ceremony: bool = False) -> Iterator[subprocess.Popen[str]]:
        """``inkan signer run`` in a process of its own."""
        command = [sys.executable, "-c", "from inkan.cli import main; main()", "signer", "run"]
        process = subprocess.Popen(
            [*command, *(["--ceremony"] if ceremony else [])],
            env={
                **os.environ,
                "INKAN_ENVIRONMENT": "demo",
                "INKAN_HOME": str(self.home),
                "INKAN_DATABASE__URL": self.signer.database.url,
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("The signer answers")
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(20)
            assert process.stdout is not None
            process.stdout.close()


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    (tmp_path / "platform").mkdir(mode=0o700)
    return Pair(tmp_path)


async def test_the_life_of_a_signer(pair: Pair) -> None:
    """A ceremony, then work without it; a killed signer costs nothing but time."""
    with pair.running(ceremony=True):
        async with instance(pair.platform) as platform:
            made = await platform.pki.hold_ceremony(demo_ceremony())
            assert {line.role for line in made.made} >= {"root", "issuing", "ocsp", "receipt"}
            own = platform.keys.places["file"].labels()  # type: ignore[attr-defined]
            assert not [label for label in own if label.startswith(("ca.", "ocsp.", "receipt."))]
    async with instance(pair.platform) as platform:
        with pair.running() as process:
            await _working_day(platform)
            process.kill()
            process.wait(20)
            wanted = order_of(7, platform.clock)
            with pytest.raises(KeyStoreLocked):
                await platform.pki.issue(wanted)
        with pair.running():
            finished = await platform.pki.complete(wanted.order_key)
            authority = parse_certificate(platform.pki.hierarchy.get("card").certificate)
            parse_certificate(finished.der).x509.verify_directly_issued_by(authority.x509)
            # the signer has a clock of its own: an instance that runs ahead of it gets nothing signed
            platform.clock.advance(ceremony.OCSP_SIGNER_LIFE)
            with pytest.raises(SigningRefused) as refused:
                await platform.pki.crl("card")
            assert refused.value.facts == {"rule": "term"}
    _check_journal(pair)


async def _working_day(platform) -> None:
    issued = await platform.pki.issue(order_of(1, platform.clock))
    rivals = [platform.pki.issue(order_of(number, platform.clock)) for number in (2, 3)]
    await asyncio.gather(*rivals)
    assert (await platform.pki.revocation_evidence(issued.id)).ocsp
    assert (await platform.pki.sign_receipt(b"{}")).count(".") == 2
    with pytest.raises(SigningRefused):
        platform.keys.generate("ca.new", KeySpec.P256, {KeyPurpose.CERT})
    # a caller that holds the socket, and sends what was never reserved
    hierarchy = platform.pki.hierarchy
    tbs = parse_certificate(issued.der).x509.tbs_certificate_bytes
    key = hierarchy.key_of(hierarchy.get("card"), KeyPurpose.CERT)
    with pytest.raises(SigningRefused) as refused:
        sign_message(key, tbs, SignatureScheme.ECDSA_SHA256)
    assert refused.value.facts == {"rule": "serial"}


def _check_journal(pair: Pair) -> None:
    lines = [line for line, _ in read_journal(pair.home / JOURNAL_FILE)]
    events = [line.event for line in lines]
    assert events.count("intended") == events.count("signed")
    assert events.count("generated") == 9
    printed = subprocess.run(
        [sys.executable, "-c", "from inkan.cli import main; main()", "signer", "journal"],
        env={**os.environ, "INKAN_ENVIRONMENT": "demo", "INKAN_HOME": str(pair.home)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.endswith(f"{len(lines)} lines, unbroken.\n")


async def test_a_responder_is_renewed_by_the_signer(pair: Pair) -> None:
    """Its new key is made by the signer, so it is certified without a reservation and without a ceremony."""
    with pair.running(ceremony=True):
        async with instance(pair.platform) as platform:
            await platform.pki.hold_ceremony(demo_ceremony())
            before = platform.pki.hierarchy.get("card-ocsp")
    with pair.running():
        async with instance(pair.platform) as platform:
            master = platform.pki._master
            late = ceremony.OCSP_SIGNER_LIFE
            assert await _renewed(master, late * 2) == 3
            assert platform.pki.hierarchy.get("card-ocsp").key_label != before.key_label


async def _renewed(master, least) -> int:
    """Renew as if responders had to be renewed earlier."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ceremony._RENEWED_BEFORE, Role.OCSP, least)
        return await master.renew_signers()


async def test_a_signer_is_no_client_of_a_signer(pair: Pair) -> None:
    for settings in (
        msgspec.structs.replace(pair.signer, remote=Remote(socket="/run/other")),
        msgspec.structs.replace(pair.signer, database=Database()),
    ):
        with pytest.raises(SettingsWrong):
            async with signing_process(settings):
                pass
