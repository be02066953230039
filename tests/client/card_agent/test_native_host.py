"""Native messages: lengths, fragments, floods, and the end of the input."""

import io
import json
import os
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.card_agent.parts import ORIGIN
from inkan.client.card_agent import messages
from inkan.client.card_agent.native_host import NativeHost, frame, read_frame
from inkan.client.card_agent.refusals import AgentRequestMalformed, AgentRequestTooLarge
from inkan.kernel.errors import InkanError


class Echo:
    """Commands that answer the request itself; ``hold`` waits until it may go on."""

    def __init__(self, tell=lambda data: None) -> None:
        self.tell = tell
        self.go_on = threading.Event()
        self.held = threading.Semaphore(0)
        self.closed = 0

    def answer(self, origin: str, data: bytes) -> bytes:
        request = json.loads(data)
        if request.get("command") == "hold":
            self.held.release()
            assert self.go_on.wait(10)
        return messages.answer(request["id"], {"origin": origin, "command": request["command"]})

    def close(self) -> None:
        self.closed += 1
        self.go_on.set()


def wrapped(number: int, command: str, origin: str = ORIGIN) -> bytes:
    request = {"id": number, "command": command}
    return frame(json.dumps({"origin": origin, "request": request}).encode())


def said(sink: bytes) -> list[dict]:
    source, found = io.BytesIO(sink), []
    while (data := read_frame(source, 1 << 20)) is not None:
        found.append(json.loads(data))
    return found


def run(data: bytes) -> tuple[Echo, list[dict]]:
    echo, sink = Echo(), io.BytesIO()
    NativeHost(io.BytesIO(data), sink, lambda _: echo).run()
    return echo, said(sink.getvalue())


def test_each_message_gets_its_answer_and_the_end_ends_all() -> None:
    echo, heard = run(wrapped(1, "a") + wrapped(2, "b"))
    assert sorted(each["id"] for each in heard) == [1, 2]
    assert heard[0]["answer"]["origin"] == ORIGIN
    assert echo.closed == 1


def test_a_message_in_fragments_is_one_message() -> None:
    read, write = os.pipe()
    echo, sink = Echo(), io.BytesIO()
    with os.fdopen(read, "rb") as source:
        host = threading.Thread(target=NativeHost(source, sink, lambda _: echo).run)
        host.start()
        for octet in wrapped(1, "slow"):
            os.write(write, bytes([octet]))
        os.close(write)
        host.join(10)
    assert [each["id"] for each in said(sink.getvalue())] == [1]


@pytest.mark.parametrize("size", [messages.FRAME_LIMIT + 1, 2**31, 2**32 - 1])
def test_a_length_beyond_the_limit_is_refused_unread(size: int) -> None:
    source = io.BytesIO(size.to_bytes(4, sys.byteorder) + b"x" * 16)
    with pytest.raises(AgentRequestTooLarge):
        read_frame(source)
    assert source.tell() == 4
    echo, heard = run(source.getvalue())
    assert heard == [
        {
            "id": 0,
            "refusal": {
                "code": "card_agent_too_large",
                "facts": {"limit_bytes": messages.FRAME_LIMIT},
            },
        }
    ]
    assert echo.closed == 1


@pytest.mark.parametrize("data", [b"\x01", frame(b"12345")[:-1], b"\x05\x00\x00\x00"])
def test_an_input_that_ends_in_the_middle_is_refused(data: bytes) -> None:
    with pytest.raises(AgentRequestMalformed):
        read_frame(io.BytesIO(data))


def test_a_message_that_is_none_is_refused_and_the_next_one_served() -> None:
    _, heard = run(frame(b"{") + frame(b"") + wrapped(3, "x"))
    assert [each["id"] for each in heard] == [0, 0, 3]
    assert heard[0]["refusal"]["code"] == "card_agent_malformed"


def test_a_flood_waits_for_nobody_and_starts_no_more_than_a_few() -> None:
    read, write = os.pipe()
    echo, sink = Echo(), io.BytesIO()
    with os.fdopen(read, "rb") as source:
        host = threading.Thread(target=NativeHost(source, sink, lambda _: echo).run)
        host.start()
        before = threading.active_count()
        for number in range(1, 101):
            os.write(write, wrapped(number, "hold"))
        for _ in range(4):
            assert echo.held.acquire(timeout=10)
        while sink.getvalue().count(b"card_agent_busy") < 96:
            assert threading.active_count() <= before + 4
        os.close(write)
        host.join(10)
    heard = said(sink.getvalue())
    assert sum("answer" in each for each in heard) == 4
    assert len(heard) == 100


def test_a_browser_that_is_gone_stops_nothing() -> None:
    class Gone(io.BytesIO):
        def write(self, data):
            raise BrokenPipeError

    echo = Echo()
    NativeHost(io.BytesIO(wrapped(1, "a")), Gone(), lambda _: echo).run()
    assert echo.closed == 1


@given(st.binary(max_size=200))
def test_whatever_comes_is_a_frame_or_refused(data: bytes) -> None:
    source = io.BytesIO(data)
    try:
        while read_frame(source) is not None:
            pass
    except InkanError:
        pass


def test_a_fault_of_the_program_is_told_and_no_page_waits_for_ever() -> None:
    class Broken(Echo):
        def answer(self, origin: str, data: bytes) -> bytes:
            raise OSError("the disk is full")

    sink = io.BytesIO()
    NativeHost(io.BytesIO(wrapped(3, "a")), sink, lambda _: Broken()).run()
    assert said(sink.getvalue()) == [{"id": 3, "refusal": {"code": "internal", "facts": {}}}]
