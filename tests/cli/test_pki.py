"""``inkan pki validate``: files in, one JSON answer and an exit code out; and batches."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding

from cli.conftest import Home
from inkan.cli.root import root as inkan
from support.paths import AT, P1, P2, Entity, make_ocsp, mapping

TIME = AT.strftime("%Y-%m-%dT%H:%M:%SZ")
STARTED = """
import sys
from inkan.cli.root import root
try:
    root.main(["pki", "validate", "--trust", "x", "--cert", "x"], standalone_mode=False)
except SystemExit:
    pass
print(sorted({"sqlalchemy", "litestar", "pyhanko", "pkilint", "asn1crypto", "httpx", "structlog"} & set(sys.modules)))
"""


class Files:
    """A hierarchy on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = Entity("Root")
        self.ca = self.root.ca("CA", extra=[(mapping((P1, P2)), True)])
        self.holder = self.ca.holder(policies=[P2])
        self.lost = self.ca.holder("Lost", policies=[P2])
        for name in ("root", "ca", "holder", "lost"):
            self.write(f"{name}.cer", getattr(self, name).der)
        self.write("root.crl", self.root.crl())
        self.write("ca.crl", self.ca.crl(self.lost, reason="superseded"))

    def write(self, name: str, data: bytes) -> str:
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def call(*arguments: str, stdin: bytes | None = None) -> tuple[Result, list[dict]]:
    """The command's result and its lines; the exit code is what it returns."""
    done = CliRunner().invoke(
        inkan, ["pki", "validate", *arguments], standalone_mode=False, input=stdin
    )
    assert done.exception is None, done.output
    return done, [json.loads(line) for line in done.stdout.splitlines()]


def ask(files: Files, cert: str, *more: str) -> tuple[int, dict]:
    base = ["--trust", files["root.cer"], "--intermediate", files["ca.cer"], "--time", TIME]
    done, (answer,) = call(*base, "--cert", files[cert], *more)
    return done.return_value, answer


def test_valid_invalid_and_not_enough_to_say(files: Files) -> None:
    lists = ["--crl", files["root.crl"], "--crl", files["ca.crl"]]
    code, answer = ask(files, "holder.cer", *lists)
    assert (code, answer["status"], answer["reason"]) == (0, "valid", "ok")
    assert [step["subject"].split(",")[0] for step in answer["path"]] == [
        "CN=Holder",
        "CN=CA",
        "CN=Root",
    ]
    assert all(re.fullmatch("[0-9a-f]{64}", step["sha256"]) for step in answer["path"])
    code, answer = ask(files, "lost.cer", *lists)
    assert (code, answer["status"], answer["reason"]) == (1, "invalid", "certificate_revoked")
    assert (answer["revocation_reason"], answer["revoked_at"]) == (
        "superseded",
        "2026-11-21T10:00:00Z",
    )
    code, answer = ask(files, "holder.cer", "--crl", files["root.crl"])
    assert (code, answer["status"], answer["reason"]) == (2, "indeterminate", "revocation_unknown")


def test_without_lists_revocation_is_not_asked_about(files: Files) -> None:
    assert ask(files, "lost.cer")[0] == 0


def test_answers_alone_are_asked_about_the_certificate(files: Files) -> None:
    good = files.write("good.ocsp", make_ocsp(files.holder, files.ca))
    bad = files.write("bad.ocsp", make_ocsp(files.holder, files.ca, status="REVOKED"))
    above = files.write("above.ocsp", make_ocsp(files.ca, files.root, status="REVOKED"))
    assert ask(files, "holder.cer", "--ocsp", good)[0] == 0
    assert ask(files, "holder.cer", "--ocsp", bad)[1]["reason"] == "certificate_revoked"
    assert ask(files, "lost.cer", "--ocsp", good)[1]["reason"] == "revocation_unknown"
    # An authority that is shown to be revoked is revoked, asked or not.
    assert ask(files, "holder.cer", "--ocsp", good, "--ocsp", above)[0] == 1
    assert ask(files, "holder.cer", "--ocsp", good, "--crl", files["root.crl"])[0] == 0


def test_policies_and_their_switches(files: Files) -> None:
    assert ask(files, "holder.cer", "--explicit-policy")[1]["policies"] == [P1]
    assert ask(files, "holder.cer", "--policy", P1, "--explicit-policy")[0] == 0
    assert (
        ask(files, "holder.cer", "--policy", P2, "--explicit-policy")[1]["reason"] == "policy_unmet"
    )
    assert ask(files, "holder.cer", "--explicit-policy", "--inhibit-mapping")[0] == 1
    assert ask(files, "holder.cer", "--explicit-policy", "--inhibit-any")[0] == 0
    assert ask(files, "holder.cer", "--policy", "x")[1]["reason"] == "request_malformed"


def test_the_time_asked_about(files: Files) -> None:
    base = [
        "--trust",
        files["root.cer"],
        "--intermediate",
        files["ca.cer"],
        "--cert",
        files["holder.cer"],
    ]
    for time, reason in (
        ("2030-01-01T00:00:00Z", "certificate_expired"),
        ("2020-01-01", "certificate_not_yet_valid"),
        ("2026-11-21T20:00:00+08:00", "ok"),
        ("yesterday", "request_malformed"),
        ("9999-99-99", "request_malformed"),
    ):
        assert call(*base, "--time", time)[1][0]["reason"] == reason


def test_pem_and_der(files: Files) -> None:
    def pem(entity: Entity) -> bytes:
        return entity.certificate.public_bytes(Encoding.PEM)

    chain = files.write("chain.pem", b"a comment\n" + pem(files.holder) + pem(files.ca))
    anchors = files.write("anchors.pem", pem(Entity("Other")) + pem(files.root))
    done, (answer,) = call("--trust", anchors, "--cert", chain, "--time", TIME)
    assert (done.return_value, len(answer["path"])) == (0, 3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"junk",
        b"\x30\x80\x00\x00",
        b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
    ],
)
def test_a_malformed_file_is_a_clear_answer(files: Files, data: bytes) -> None:
    files.write("junk", data)
    assert ask(files, "junk")[:1] == (1,)
    assert ask(files, "junk")[1]["reason"] == "certificate_malformed"
    lists = ["--crl", files["root.crl"], "--crl", files["ca.crl"]]
    for option in ("--crl", "--ocsp"):
        assert (
            ask(files, "holder.cer", *lists, option, files["junk"])[1]["reason"]
            == "evidence_malformed"
        )
    code, answer = ask(files, "holder.cer", "--trust", files["junk"])
    assert (code, answer["reason"]) == (2, "anchor_malformed")


def test_a_file_that_is_not_there(files: Files) -> None:
    for cert in ("nowhere", "."):
        code, answer = ask(files, cert)
        assert (code, answer["status"], answer["reason"]) == (
            2,
            "indeterminate",
            "request_malformed",
        )


def test_strict_demands_more(files: Files) -> None:
    files.write("bare.cer", files.ca.holder(policies=[P2], aki=False).der)
    assert ask(files, "bare.cer")[0] == 0
    assert ask(files, "bare.cer", "--strict")[1]["reason"] == "profile_violated"


def test_a_batch_is_answered_in_order_by_one_process(files: Files, home: Home) -> None:
    base = {"trust": [files["root.cer"]], "intermediate": [files["ca.cer"]], "time": TIME}
    lists = {"crl": [files["root.crl"], files["ca.crl"]]}
    asked = [
        json.dumps(base | {"cert": files["holder.cer"]} | lists),
        json.dumps(base | {"cert": files["lost.cer"]} | lists),
        "{",
        json.dumps(base | {"cert": files["holder.cer"], "crl": files["root.crl"]}),
        "",
        json.dumps(base | {"cert": files["holder.cer"], "wrong": 1}),
        json.dumps(base | {"cert": files["holder.cer"], "explicit-policy": True, "policy": [P2]}),
        "[]",
        json.dumps(base | {"cert": files["holder.cer"]}),
    ]
    expected = [
        "ok",
        "certificate_revoked",
        "request_malformed",
        "revocation_unknown",
        "request_malformed",
        "policy_unmet",
        "request_malformed",
        "ok",
    ]
    batch = files.write("batch.jsonl", "\n".join(asked).encode())
    done = home.inkan("pki", "validate", "--batch", batch)
    assert [json.loads(line)["reason"] for line in done.stdout.splitlines()] == expected
    _, answers = call("--batch", "-", stdin=("\n".join(asked) + "\n").encode())
    assert [answer["reason"] for answer in answers] == expected


def test_the_exit_code_is_the_processes(files: Files, home: Home) -> None:
    base = ["pki", "validate", "--trust", files["root.cer"], "--time", TIME]
    known = ["--intermediate", files["ca.cer"]]
    home.inkan(*base, *known, "--cert", files["holder.cer"], code=0)
    home.inkan(*base, "--cert", files["holder.cer"], code=1)
    home.inkan(*base, *known, "--cert", files["holder.cer"], "--crl", files["root.crl"], code=2)
    assert "--trust and --cert" in home.inkan("pki", "validate", code=2).stderr


def test_it_starts_without_the_platform() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTED], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
