"""The ceremony as custodians and officers hold it: cards, shares, an offline folder, a drill."""

import json
import shutil
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest

from cli.conftest import Home
from inkan.crypto import jose
from inkan.demo.custodians import make_custodian, with_custodians
from inkan.kernel.sensitive import Secret
from inkan.wire.ceremony_transcript import TRANSCRIPT_TYP

PIN = "571908"


@pytest.fixture
def nation(tmp_path: Path) -> Path:
    """A ceremony file with three custodians, whose cards lie beside it."""
    cards = [
        make_custodian(tmp_path / f"{n}.card", name=f"C{n}", pin=Secret(PIN), now=datetime.now(UTC))
        for n in range(3)
    ]
    text = (files("inkan.pki") / "ceremonies" / "nation.toml").read_text(encoding="utf-8")
    path = tmp_path / "nation.toml"
    path.write_text(with_custodians(text, cards), encoding="utf-8")
    return path


def approve(home: Home, file: Path, number: int) -> str:
    out = file.parent / f"{file.stem}-{number}.cms"
    card = str(file.parent / f"{number}.card")
    home.inkan(
        "ca", "approve", str(file), "--card", card, "--out", str(out), "--pin", PIN, typed="y\n"
    )
    return str(out)


@pytest.mark.req("HCA-33", "HCA-34", "HCA-35")
def test_a_ceremony_from_the_rehearsal_to_the_drill(
    home: Home, nation: Path, tmp_path: Path
) -> None:
    offline, shares = tmp_path / "offline", tmp_path / "shares"
    approvals = [
        part for number in (0, 1) for part in ("--approval", approve(home, nation, number))
    ]
    rehearsed = tmp_path / "rehearsed.jws"
    said = home.inkan(
        "ca", "ceremony", str(nation), "--dry-run", "--offline", str(offline),
        "--transcript", str(rehearsed), *approvals,
    ).stdout  # fmt: skip
    assert "rehearsal" in said
    payload = jose.parse_compact(rehearsed.read_text().strip(), typ=TRANSCRIPT_TYP).payload
    assert json.loads(payload)["is_rehearsal"] is True
    assert not offline.exists()
    assert "no authorities yet" in home.inkan("ca", "list").stdout

    transcript = tmp_path / "transcript.jws"
    said = home.inkan(
        "ca", "ceremony", str(nation), "--offline", str(offline), "--shares-to", str(shares),
        "--transcript", str(transcript), *approvals,
    ).stdout  # fmt: skip
    assert "Approved by Custodian of the archives, National archives" in said
    root = tmp_path / "root.cer"
    home.inkan("ca", "show", "root", "--out", str(root))
    verify = ("ca", "transcript", str(transcript), "--anchor", str(root), "--ceremony")
    lines = home.inkan(*verify, str(nation)).stdout.splitlines()
    assert lines[0].startswith("Inkan test nation: found, ")
    assert lines[1] == "Approved by Custodian of the audit office, National audit office"
    assert sum(line.startswith("  SHA-256 ") for line in lines) == 20
    assert not any("rehearsal" in line for line in lines)
    assert "not the file" in home.inkan(*verify, str(root), code=1).stderr
    kept = sorted(shares.iterdir())
    assert [path.name for path in kept] == ["share-1.txt", "share-2.txt", "share-3.txt"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept)
    assert all(len(path.read_text().split()) == 33 for path in kept)

    # What was written before any certificate, and what anybody can have written.
    said = home.inkan(*verify[:2], str(rehearsed), *verify[3:5], code=1).stderr
    assert "[transcript_uncertified]" in said
    plain = tmp_path / "transcript.json"
    plain.write_bytes(payload)
    said = home.inkan(*verify[:2], str(plain), *verify[3:5], code=1).stderr
    assert "The transcript is not signed" in said

    copy = tmp_path / "copy"
    shutil.copytree(offline, copy)
    two = ["--share", str(kept[0]), "--share", str(kept[2])]
    said = home.inkan("ca", "drill", "--offline", str(copy), *two).stdout
    assert [line.partition(":")[0] for line in said.splitlines()] == [
        "bridge",
        "health-root",
        "root",
    ]
    home.inkan("ca", "drill", "--offline", str(copy), *two[:2], code=77)

    later = tmp_path / "later.toml"
    later.write_text(
        'kind = "replace-root"\ntitle = "Inkan test nation"\nroot = "root"\nname = "root-2"\n'
    )
    again = [part for number in (0, 1) for part in ("--approval", approve(home, later, number))]
    home.inkan("ca", "ceremony", str(later), *again, code=69)  # the offline keys are elsewhere
    said = home.inkan("ca", "ceremony", str(later), "--offline", str(offline), *two, *again).stdout
    assert "root-2-to-root" in said
    home.inkan("ca", "ceremony", str(later), "--offline", str(offline), *two, code=77)


def test_a_founding_without_a_place_for_its_shares_makes_nothing(
    home: Home, nation: Path, tmp_path: Path
) -> None:
    done = home.inkan("ca", "ceremony", str(nation), "--offline", str(tmp_path / "offline"), code=2)
    assert "--shares-to" in done.stderr
    assert not (tmp_path / "offline").exists()


def test_who_says_no_approves_nothing(home: Home, nation: Path, tmp_path: Path) -> None:
    out = tmp_path / "no.cms"
    home.inkan(
        "ca", "approve", str(nation), "--card", str(tmp_path / "0.card"), "--out", str(out),
        "--pin", PIN, typed="n\n", code=130,
    )  # fmt: skip
    assert not out.exists()
