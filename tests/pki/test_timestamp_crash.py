"""kill -9 while it stamps: the next process stamps nothing older and repeats no serial number."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from inkan.composition.platform import Platform, compose
from inkan.crypto.tsp_token import TimestampInfo, TimestampRefused, parse_reply, parse_token
from inkan.kernel.clock import Clock, from_microseconds
from support.stamping_process import REQUEST, settings_of

pytestmark = pytest.mark.crash

TESTS = Path(__file__).parents[1]
TOKENS = 400


class SetBack(Clock):
    """A clock that somebody set back while no process ran."""

    def wire_now(self):
        return super().wire_now() - timedelta(seconds=30)


async def ask(platform: Platform) -> TimestampInfo:
    return parse_token(parse_reply(await platform.pki.timestamp(REQUEST))).info


async def test_what_was_stamped_before_a_kill_is_remembered(tmp_path: Path) -> None:
    command = [sys.executable, str(TESTS / "support" / "stamping_process.py"), str(tmp_path)]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent / "src")])
    }
    with subprocess.Popen(  # noqa: ASYNC220 - the test waits for nothing else
        command, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(TOKENS)]
        process.kill()
        lines += process.stdout.readlines()
    stamped = [tuple(map(int, line.split())) for line in lines if line.endswith("\n")]
    assert len(stamped) >= TOKENS
    times = [time for time, _ in stamped]
    assert times == sorted(times)
    async with compose(settings_of(tmp_path), clock=SetBack()) as platform:
        with pytest.raises(TimestampRefused) as caught:
            await ask(platform)
        assert caught.value.facts["failure"] == "timeNotAvailable"
    async with compose(settings_of(tmp_path)) as platform:
        found = [await ask(platform) for _ in range(10)]
    assert all(info.at >= from_microseconds(times[-1]) for info in found)
    serials = [serial for _, serial in stamped] + [info.serial for info in found]
    assert len(set(serials)) == len(serials)
