"""``inkan attributes`` at a terminal."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from inkan.attributes import Attributes
from inkan.attributes.commands import command
from inkan.kernel.errors import InkanError
from inkan.people import Person

Call = Callable[..., Awaitable[Result]]
MOI = ("--source", "authority:moi")


@pytest.fixture
async def call(attributes: Attributes) -> Call:
    loop = asyncio.get_running_loop()
    platform = SimpleNamespace(attributes=attributes)

    async def job_of(job: Any) -> Any:
        return await job(platform)

    def run_job(job: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(job_of(job), loop).result(timeout=30)

    async def run(*arguments: str) -> Result:
        world = SimpleNamespace(run=run_job)
        return await asyncio.to_thread(CliRunner().invoke, command, list(arguments), obj=world)

    return run


@pytest.fixture
def address(tmp_path: Path) -> str:
    file = tmp_path / "address.json"
    file.write_text('"臺北市中正區重慶南路"', encoding="utf-8")
    return str(file)


async def test_an_attribute_is_recorded_listed_masked_and_withdrawn(
    call: Call, chen: Person, address: str
) -> None:
    arguments = ("record", chen.id, "address", address, *MOI, "--level", "3")
    done = await call(*arguments, "--until", "2027-12-31T00:00:00Z")
    assert done.exit_code == 0, done.output
    listed = (await call("list", chen.id)).output
    assert "address" in listed
    assert "level 3" in listed
    assert "authority:moi" in listed
    assert "臺○○○○○○○○路" in listed
    assert "重慶" not in listed
    done = await call("withdraw", chen.id, "address", *MOI)
    assert done.exit_code == 0, done.output
    assert (await call("list", chen.id)).output == ""


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"code": "national_id"}, "attribute_unknown"),
        ({"code": "name"}, "attribute_value_wrong"),
        ({"source": "somebody"}, "attribute_value_wrong"),
        ({"source": "authority:"}, "attribute_value_wrong"),
        ({"level": "1"}, "attribute_level_too_low"),
        ({"until": "tomorrow"}, "moment_malformed"),
        ({"until": "2020-01-01T00:00:00Z"}, "attribute_value_wrong"),
        ({"file": "not json"}, "attribute_value_wrong"),
    ],
)
async def test_what_does_not_fit_is_refused(
    call: Call, chen: Person, address: str, change: dict[str, str], code: str
) -> None:
    given = {"code": "address", "source": "authority:moi", "level": "3"} | change
    if "file" in change:
        Path(address).write_text(change["file"])  # noqa: ASYNC240 - a test's own file
    more = ("--until", given["until"]) if "until" in given else ()
    done = await call(
        *("record", chen.id, given["code"], address, "--source", given["source"]),
        *("--level", given["level"], *more),
    )
    assert isinstance(done.exception, InkanError)
    assert done.exception.code == code
