"""The plugins of the suite: the ledger, no skip where nothing may be missing, no other machine."""

import json
import os
import re
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from support import ledger, loopback, tools
from support.repository import ROOT

PLUGINS = ("support.ledger", "support.strictness")


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with the plugins over the files in ``folder``."""
    plugins = [word for plugin in PLUGINS for word in ("-p", plugin)]
    options = ["--rootdir", str(folder), "-q", "-rA", "-p", "no:cacheprovider", "-W", "ignore"]
    inherited = {key: value for key, value in os.environ.items() if key != tools.REQUIRE_ALL}
    own = {
        "PYTHONPATH": str(ROOT / "tests"),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "COLUMNS": "200",
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *options, *arguments, str(folder)],
        cwd=folder,
        env=inherited | own | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def write(folder: Path, **tests: str) -> None:
    """One file of tests for each name."""
    for name, test in tests.items():
        text = f"import pytest\n{textwrap.dedent(test)}"
        (folder / f"test_{name}.py").write_text(text, encoding="utf-8")


# --- ledger -----------------------------------------------------------------------------------------


def test_the_ledger_is_whole() -> None:
    rows = ledger.rows()
    assert len(rows) == 298
    assert sum(row.is_hard for row in rows.values()) == 188
    families = {"TW": 70, "DOC": 40, "WAT": 78, "HCA": 69, "JPKI": 41}
    expected = [
        f"{family}-{n:02d}" for family, count in families.items() for n in range(1, count + 1)
    ]
    assert list(rows) == expected
    assert {kind for row in rows.values() for kind in row.kind.split("/")} == set("HFPDW")
    assert all(row.text and not row.text.endswith(".") for row in rows.values())


RECORDED = """
    @pytest.mark.req("TW-29", "TW-31")
    def test_proves(): pass

    @pytest.mark.req("TW-32")
    @pytest.mark.req("TW-33")
    def test_fails(): assert False

    @pytest.mark.req("TW-34")
    def test_is_skipped(): pytest.skip("by design: not here")

    @pytest.fixture
    def breaks():
        yield
        raise RuntimeError

    @pytest.mark.req("TW-45")
    def test_passes_and_leaves_a_mess(breaks): pass

    def test_without_a_row(): pass
"""


@pytest.mark.parametrize("workers", [[], ["-p", "xdist", "-n", "2"]], ids=["alone", "workers"])
def test_a_run_records_what_it_proved(tmp_path: Path, workers: list[str]) -> None:
    out = tmp_path / "ledger" / "out.json"
    write(tmp_path, inner=RECORDED)
    ran = run(tmp_path, "--ledger-out", str(out), *workers)
    assert "3 passed" in ran.stdout, ran.stdout + ran.stderr
    tests = json.loads(out.read_text())["tests"]
    assert {name.partition("::")[2]: record["passed"] for name, record in tests.items()} == {
        "test_proves": True,
        "test_fails": False,
        "test_is_skipped": False,
        "test_passes_and_leaves_a_mess": False,
    }
    assert set(ledger.proofs([out])) == {"TW-29", "TW-31"}


def test_a_row_that_is_not_in_the_ledger_stops_the_run(tmp_path: Path) -> None:
    write(tmp_path, inner='@pytest.mark.req("TW-99")\ndef test_it(): pass\n')
    ran = run(tmp_path)
    assert ran.returncode == 4
    assert "TW-99" in ran.stdout + ran.stderr


def test_the_report_names_hard_rows_without_a_proof(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    write(tmp_path, inner=RECORDED)
    run(tmp_path, "--ledger-out", str(out))
    lines = ledger.report([out]).splitlines()
    named = {line.split()[0] for line in lines[:-1]}
    assert "TW-32" in named
    assert "TW-29" not in named
    assert "TW-06" not in named, "a feature is not a hard row"
    assert "DOC-37" in named, "W/H counts as hard"
    assert lines[-1] == "2 of 188 hard rows carry a passing test."


def test_without_a_record_the_report_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ledger.main([str(tmp_path / "none.json")]) == 1
    assert "make test" in capsys.readouterr().err


# --- strictness -------------------------------------------------------------------------------------

SKIPS = {
    "in_a_test": 'def test_it(): pytest.skip("missing program: x")',
    "by_a_mark": '@pytest.mark.skip(reason="later")\ndef test_it(): pass',
    "by_a_condition": '@pytest.mark.skipif(True, reason="not on this machine")\ndef test_it(): pass',
    "in_a_fixture": '@pytest.fixture\ndef tool(): pytest.skip("gone")\ndef test_it(tool): pass',
    "of_a_module": 'pytest.skip("no module", allow_module_level=True)',
    "by_an_import": 'pytest.importorskip("no_such_module_anywhere")',
}
MEANT = {
    "by_design": 'def test_it(): pytest.skip("by design: the standard withdrew this vector")',
    "expected": '@pytest.mark.xfail(reason="known")\ndef test_it(): assert False',
    "passed": "def test_it(): pass",
}


def test_a_skip_is_a_skip_where_programs_may_be_missing(tmp_path: Path) -> None:
    write(tmp_path, **SKIPS, **MEANT)
    ran = run(tmp_path)
    assert ran.returncode == 0, ran.stdout
    assert "1 passed, 7 skipped, 1 xfailed" in ran.stdout


def test_a_skip_is_a_failure_where_nothing_may_be_missing(tmp_path: Path) -> None:
    write(tmp_path, **SKIPS, **MEANT)
    ran = run(tmp_path, "--continue-on-collection-errors", **{tools.REQUIRE_ALL: "1"})
    assert ran.returncode == 1, ran.stdout
    assert "1 passed, 1 skipped, 1 xfailed" in ran.stdout
    reason = f"skipped although {tools.REQUIRE_ALL} is set: "
    for name in SKIPS:
        assert re.search(rf"^(FAILED|ERROR) test_{name}\.py", ran.stdout, re.MULTILINE), name
    assert ran.stdout.count(reason) >= len(SKIPS)


# --- loopback ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [("192.0.2.1", 9), ("2001:db8::1", 9, 0, 0)])
def test_another_machine_is_out_of_reach(address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as out, pytest.raises(loopback.LeavesTheMachine):
        out.connect(address)
    with socket.socket(family, socket.SOCK_DGRAM) as out, pytest.raises(loopback.LeavesTheMachine):
        out.sendto(b"x", address)


@pytest.mark.parametrize("name", ["inkan.example", "localhost.example", "host"])
def test_another_name_is_not_looked_up(name: str) -> None:
    with pytest.raises(loopback.LeavesTheMachine):
        socket.getaddrinfo(name, 443)


def test_this_machine_is_in_reach(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()
        with socket.socket(socket.AF_UNIX) as out:
            out.connect(str(tmp_path / "s"))
    assert socket.getaddrinfo("localhost", 80)
    assert socket.getaddrinfo("192.0.2.1", 80), "an address is its own answer"


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("fe80::1%lo", False),
        ("0.0.0.0", True),
        ("id.localhost", True),
        (b"localhost", True),
        (None, True),
        (7, True),
        ("8.8.8.8", False),
        ("localhost.example", False),
        ("xlocalhost", False),
    ],
)
def test_what_is_this_machine(host: object, local: bool) -> None:
    assert loopback.is_local(host) is local


# --- tools ------------------------------------------------------------------------------------------


def test_the_cluster_rule_is_written_once_and_keeps_what_stands_there(tmp_path: Path) -> None:
    file = tmp_path / "postgresql-common" / "createcluster.conf"
    tools.keep_clusters_away(file)
    assert file.read_text() == "create_main_cluster = false\n"
    file.write_text("ssl = on\n")
    tools.keep_clusters_away(file)
    tools.keep_clusters_away(file)
    assert file.read_text() == "ssl = on\ncreate_main_cluster = false\n"


def test_a_found_tool_exists() -> None:
    for name, tool in tools.TOOLS.items():
        found = tool.find()
        assert found is None or found.exists(), name
        assert tool.serves


def test_a_missing_tool_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    row = tools.Tool("no-such-package", lambda: None, "nothing")
    monkeypatch.setitem(tools.TOOLS, "none", row)
    with pytest.raises(pytest.skip.Exception, match="Debian package no-such-package"):
        tools.require("none")
