"""What an operator does to a fresh instance, one process a command."""

import json
import re
from importlib.resources import files
from pathlib import Path

from cryptography import x509

from cli.conftest import Home
from inkan.crypto import jwk
from inkan.crypto.keys import KeySpec, generate
from support.world import PURPOSES


def ceremony(folder: Path) -> str:
    path = folder / "ceremony.toml"
    path.write_bytes((files("inkan.pki") / "ceremonies" / "demo.toml").read_bytes())
    return str(path)


def test_authorities_are_made_once_and_shown(home: Home, tmp_path: Path) -> None:
    made = home.inkan("ca", "init", ceremony(tmp_path)).stdout
    thumbprints = re.findall(r"SHA-256 [0-9A-F:]{95}", made)
    assert len(thumbprints) >= 6
    listed = home.inkan("ca", "list").stdout
    assert sorted(re.findall(r"SHA-256 [0-9A-F:]{95}", listed)) == sorted(thumbprints)
    for name in re.findall(r"^(\S+) .* until ", made, re.MULTILINE):
        assert re.search(rf"^[ │├└─]*{name}  ", listed, re.MULTILINE), name
    again = home.inkan("ca", "init", ceremony(tmp_path), code=1)
    assert again.stderr.count("\n") == 1
    root = x509.load_pem_x509_certificate(home.inkan("ca", "show", "root").stdout.encode())
    out = tmp_path / "root.cer"
    home.inkan("ca", "show", "root", "--out", str(out))
    assert x509.load_der_x509_certificate(out.read_bytes()) == root
    crl = x509.load_pem_x509_crl(home.inkan("ca", "crl", "phone").stdout.encode())
    assert list(crl) == []
    home.inkan("ca", "show", "nothing", code=66)


def test_a_ceremony_file_that_says_nothing_is_refused(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "ceremony.toml"
    path.write_text("title = 'x'", encoding="utf-8")
    assert home.inkan("ca", "init", str(path), code=65).stderr.count("\n") == 1


def test_systems_are_registered_listed_and_suspended(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "system.json"
    registration = {
        "organisation": "tax",
        "organisation_name": {"en": "Tax", "ja": "税", "zh-Hant": "稅"},
        "sector": "government",
        "code": "tax-office",
        "name": "Tax Office",
        "domain": "tax.example",
        "doors": ["qr"],
        "purposes": PURPOSES,
        "keys": [jwk.to_jwk(generate(KeySpec.P256).public_key())],
    }
    path.write_text(json.dumps(registration), encoding="utf-8")
    assert "tax-office" in home.inkan("systems", "add", str(path)).stdout
    home.inkan("systems", "add", str(path), code=1)
    assert home.inkan("systems", "list").stdout.split()[:2] == ["tax-office", "active"]
    home.inkan("systems", "suspend", "tax-office")
    listed = json.loads(home.inkan("systems", "list", "--json").stdout)
    assert listed == [{"code": "tax-office", "name": "Tax Office", "state": "suspended"}]
    home.inkan("systems", "resume", "tax-office")
    assert "active" in home.inkan("systems", "list").stdout
    home.inkan("systems", "suspend", "nothing", code=66)
    path.write_text("{", encoding="utf-8")
    assert "[" in home.inkan("systems", "add", str(path), code=65).stderr


def test_keys_are_added_listed_and_ended(home: Home, tmp_path: Path) -> None:
    path, new = tmp_path / "system.json", tmp_path / "new.jwk"
    publics = [jwk.to_jwk(generate(KeySpec.P256).public_key()) for _ in range(3)]
    registration = {
        "organisation": "tax",
        "organisation_name": {"en": "Tax", "ja": "税", "zh-Hant": "稅"},
        "sector": "government",
        "code": "tax-office",
        "name": "Tax Office",
        "domain": "tax.example",
        "doors": ["qr"],
        "purposes": PURPOSES,
        "keys": publics[:1],
    }
    path.write_text(json.dumps(registration), encoding="utf-8")
    home.inkan("systems", "add", str(path))
    new.write_text(json.dumps(publics[1]), encoding="utf-8")
    thumbprint = home.inkan("systems", "keys", "add", "tax-office", str(new)).stdout.split()[-1]
    new.write_text(json.dumps(publics[2]), encoding="utf-8")
    home.inkan("systems", "keys", "add", "tax-office", str(new), code=1)
    home.inkan("systems", "keys", "end", "tax-office", thumbprint.rstrip("."))
    listed = json.loads(home.inkan("systems", "keys", "list", "tax-office", "--json").stdout)
    assert [row["ends_at"] for row in listed] == [None]
    told = json.loads(home.inkan("systems", "exporter").stdout)
    assert [told[name]["crv"] for name in ("exports", "reports")] == ["P-256", "P-256"]
    report = tmp_path / "report.jws"
    report.write_text("a.b.c", encoding="ascii")
    out = ("--report", str(report), "--to", "https://id.example", "-o", str(tmp_path / "out"))
    assert "[application_not_approved]" in home.inkan("systems", "export", "tax-office", *out, code=1).stderr  # fmt: skip
    assert "[export_untrusted]" in home.inkan("systems", "import", str(report), code=77).stderr


def test_the_first_administrator_is_invited_and_the_log_is_intact(
    home: Home, tmp_path: Path
) -> None:
    home.inkan("ca", "init", ceremony(tmp_path))
    invited = home.inkan("accounts", "invite", "Chen Mei", "--role", "administrator")
    assert invited.stdout.startswith("http://id.localhost:8480/")
    assert "Chen Mei" in home.inkan("accounts", "list").stdout
    assert home.inkan("audit", "head").stdout.count(".") == 2
    assert home.inkan("audit", "verify").stdout.startswith("Intact: ")


def test_a_changed_log_is_found(home: Home) -> None:
    import sqlite3

    home.inkan("accounts", "invite", "Chen Mei", "--role", "administrator")
    home.inkan("audit", "head")
    with sqlite3.connect(home.folder / "inkan.db") as database:
        changed = database.execute("UPDATE audit_event SET use_case = 'nothing' WHERE position = 0")
        assert changed.rowcount == 1
    assert "Broken at index 0" in home.inkan("audit", "verify", code=1).stdout
