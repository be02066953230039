"""``inkan cert show``: what a file says, without an instance."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inkan.cli.cert import command
from inkan.crypto.certificate_file import FILE_LIMIT, CertificateFileTooLarge, pem
from inkan.crypto.certificates import CertificateMalformed
from inkan.kernel.errors import InkanError
from pki.golden_certificate import DER
from support.pki import Hierarchy

BASIC = """\
Name                           公的 一郎
Date of birth                  1977-11-07
Sex                            male
Address                        東京都港区虎ノ門5丁目
Date of issue                  2004-04-01T01:00:00Z
Last valid second              2007-03-31T14:59:59Z
Issuer                         東京都知事
Serial number                  07:5B:CD:15
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "card.cer"
    path.write_bytes(DER)
    return path


def show(*arguments: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(command, ["show", *map(str, arguments)], input=stdin)


@pytest.mark.req("JPKI-14", "JPKI-28")
def test_the_seven_facts_are_shown(file: Path) -> None:
    result = show(file)
    assert result.exit_code == 0
    assert result.output.startswith(BASIC)
    assert "\nSHA-256 " in result.output
    assert "Extension" not in result.output


def test_detail_shows_every_extension(file: Path) -> None:
    lines = show(file, "--detail").output.splitlines()
    assert "Other names of the holder (2.5.29.17)" in lines
    assert any("1.2.392.200149.8.5.5.5: 東京都港区虎ノ門5丁目" in line for line in lines)


def test_json_holds_every_field(file: Path) -> None:
    told = json.loads(show(file, "--json").output)
    assert told["holder"] == {
        "name": "公的 一郎",
        "birth_date": "1977-11-07",
        "sex": "male",
        "address": "東京都港区虎ノ門5丁目",
    }
    assert (told["serial"], told["not_after"]) == ("75bcd15", "2007-03-31T14:59:59Z")
    assert told["extensions"][0]["oid"] == "2.5.29.17"
    assert "der" not in told


def test_it_reads_pem_from_a_pipe_and_says_that_there_are_more() -> None:
    both = pem(DER) + pem(Hierarchy().root.der)
    result = show("-", stdin=both.encode())
    assert "公的 一郎" in result.stdout
    assert "2 certificates" in result.stderr


@pytest.mark.parametrize(
    ("contents", "refusal"),
    [
        (b"\x30\x82\x01\x00", CertificateMalformed),
        (b"\x30\x82" + bytes(FILE_LIMIT), CertificateFileTooLarge),
        (b"", InkanError),
    ],
)
def test_what_is_no_certificate_is_refused(contents: bytes, refusal: type[InkanError]) -> None:
    assert isinstance(show("-", stdin=contents).exception, refusal)
