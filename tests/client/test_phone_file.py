"""The phone file: what it hides, what it refuses, what survives a crash."""

import base64
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from inkan.client.durable_file import FileBusy, FileExists, FileMissing, FileTooLarge
from inkan.client.phone_file import PhoneFile, PhoneFileLocked, PhoneFileMalformed
from inkan.kernel.sensitive import Secret

PASSPHRASE = Secret("correct horse battery staple")
CHEAP = 2**10


class Content(msgspec.Struct):
    """A stand-in for a phone's memory."""

    number: int
    blobs: list[bytes] = []


def _create(path: Path, content: object = None) -> PhoneFile:
    return PhoneFile.create(path, PASSPHRASE, content or Content(1), n=CHEAP)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "phone.inkan"


def test_content_comes_back(path):
    file = _create(path)
    file.save(Content(2, [b"\x00\xff"]))
    file.close()
    opened = PhoneFile.open(path, PASSPHRASE)
    assert opened.load(Content) == Content(2, [b"\x00\xff"])
    opened.close()


def test_only_the_owner_can_read_it(path):
    _create(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_of_the_content_is_readable(path):
    _create(path, Content(1, [b"a canary that must not show"])).close()
    raw = path.read_bytes()
    assert b"canary" not in raw
    assert base64.b64encode(b"a canary that must not show")[:16] not in raw


def test_another_passphrase_does_not_open(path):
    _create(path).close()
    with pytest.raises(PhoneFileLocked):
        PhoneFile.open(path, Secret("wrong"))
    PhoneFile.open(path, PASSPHRASE).close()


@pytest.mark.parametrize("member", ["sealed", "salt", "n", "r", "p", "v", "format"])
def test_every_changed_member_is_noticed(path, member):
    _create(path).close()
    envelope = json.loads(path.read_bytes())
    holder = envelope["scrypt"] if member in envelope["scrypt"] else envelope
    value = holder[member]
    if isinstance(value, int):
        holder[member] = value * 2
    else:
        flipped = bytearray(base64.b64decode(value)) if member != "format" else bytearray(b"xxx")
        flipped[-1] ^= 1
        holder[member] = base64.b64encode(flipped).decode()
    path.write_text(json.dumps(envelope))
    with pytest.raises((PhoneFileLocked, PhoneFileMalformed)):
        PhoneFile.open(path, PASSPHRASE)


@pytest.mark.parametrize("n", [2**30, 3 * 2**14, 0, 1])
def test_costly_parameters_are_refused_before_they_cost(path, n):
    _create(path).close()
    envelope = json.loads(path.read_bytes())
    envelope["scrypt"]["n"] = n
    path.write_text(json.dumps(envelope))
    with pytest.raises(PhoneFileMalformed):
        PhoneFile.open(path, PASSPHRASE)


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b"[" * 5000, b'{"format":"inkan-phone"}'])
def test_other_files_are_refused(path, data):
    path.write_bytes(data)
    with pytest.raises(PhoneFileMalformed):
        PhoneFile.open(path, PASSPHRASE)


def test_large_files_are_refused_unread(path):
    path.write_bytes(bytes(1024 * 1024 + 1))
    with pytest.raises(FileTooLarge):
        PhoneFile.open(path, PASSPHRASE)


def test_a_phone_is_never_overwritten(path):
    _create(path).close()
    with pytest.raises(FileExists):
        _create(path)


def test_missing_file_and_missing_folder(path):
    with pytest.raises(FileMissing):
        PhoneFile.open(path, PASSPHRASE)
    assert not list(path.parent.iterdir())
    with pytest.raises(FileMissing):
        _create(path.parent / "nowhere" / "phone")


def test_a_phone_has_one_user_at_a_time(path):
    first = _create(path)
    with pytest.raises(FileBusy):
        PhoneFile.open(path, PASSPHRASE)
    first.close()
    PhoneFile.open(path, PASSPHRASE).close()


def test_content_of_another_form_is_refused(path):
    file = _create(path, {"number": "one"})
    with pytest.raises(PhoneFileMalformed):
        file.load(Content)
    file.close()


_WRITER = """
import sys
from pathlib import Path
import msgspec
from inkan.client.phone_file import PhoneFile
from inkan.kernel.sensitive import Secret

file = PhoneFile.open(Path(sys.argv[1]), Secret("correct horse battery staple"))
number = 0
while True:
    number += 1
    file.save({"number": number, "blobs": []})
    print(number, flush=True)
"""


@pytest.mark.crash
def test_kill_leaves_the_last_acknowledged_content(path):
    _create(path).close()
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, env=os.environ
        )
        lines = [writer.stdout.readline() for _ in range(20)]
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.readlines()
        writer.wait()
        writer.stdout.close()
        acknowledged = int(next(line for line in reversed(lines) if line.endswith(b"\n")))
        opened = PhoneFile.open(path, PASSPHRASE)
        assert opened.load(Content).number - acknowledged in {0, 1}
        opened.close()
