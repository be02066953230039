"""The loopback agent: who reaches it, and who is answered (ADR 0024)."""

import http.client
import json
import socket
import threading

import pytest

from inkan.client.card_agent.loopback import HOST, LoopbackAgent, new_secret

ORIGIN = "https://id.example"
GOOD = json.dumps({"id": 1, "command": "hello"}).encode()


class Spy:
    """Commands that remember what reached them, and wait where a test says so."""

    def __init__(self) -> None:
        self.heard = []
        self.closed = threading.Event()
        self.go = threading.Event()
        self.go.set()
        self.began = threading.Event()

    def answer(self, origin: str, data: bytes) -> bytes:
        self.heard.append((origin, data))
        self.began.set()
        self.go.wait(20)
        return json.dumps({"id": 1, "answer": {"origin": origin}}).encode()

    def close(self) -> None:
        self.closed.set()
        self.go.set()


@pytest.fixture
def spy():
    return Spy()


@pytest.fixture
def agent(spy):
    agent = LoopbackAgent(lambda: spy, origins=[ORIGIN])
    agent.start()
    yield agent
    spy.go.set()
    agent.close()


def good_headers(agent) -> dict[str, str]:
    return {
        "Host": f"127.0.0.1:{agent.port}",
        "Origin": ORIGIN,
        "Content-Type": "application/json",
        "Authorization": f"Inkan-Card-Agent {agent.secret.reveal()}",
    }


def send(agent, method="POST", path="/v1", body=GOOD, *, twice=(), **changed):
    """A request as a page's browser sends it, but for what is changed; None leaves a header out."""
    headers = {**good_headers(agent), **{k.replace("_", "-"): v for k, v in changed.items()}}
    connection = http.client.HTTPConnection(HOST, agent.port, timeout=20)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        if value is not None:
            connection.putheader(name, value)
        if name in twice:
            connection.putheader(name, value)
    if "Content-Length" not in headers:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    reply = connection.getresponse()
    data = reply.read()
    connection.close()
    return reply, data


def test_a_listed_and_paired_page_is_answered(agent, spy) -> None:
    reply, data = send(agent)
    assert reply.status == 200
    assert json.loads(data)["answer"] == {"origin": ORIGIN}
    assert reply.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert reply.headers["Cache-Control"] == "no-store"
    assert spy.heard == [(ORIGIN, GOOD)]


def test_it_listens_on_this_computer_alone(agent) -> None:
    assert agent._server.socket.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("status", "changed"),
    [
        (421, {"Host": "id.example"}),  # a name that was made to point here
        (421, {"Host": "localhost"}),
        (421, {"Host": None}),
        (403, {"Origin": "https://evil.example"}),
        (403, {"Origin": ORIGIN + ".evil.example"}),
        (403, {"Origin": "http://id.example"}),
        (403, {"Origin": "null"}),
        (403, {"Origin": None}),
        (404, {"path": "/"}),
        (404, {"path": "/v1/"}),
        (415, {"Content_Type": "text/plain"}),
        (415, {"Content_Type": None}),
        (411, {"Content_Length": "-1"}),
        (411, {"Transfer_Encoding": "chunked"}),
    ],
)
def test_others_get_nothing_that_a_page_can_read(agent, spy, status, changed) -> None:
    path = changed.pop("path", "/v1")
    reply, data = send(agent, path=path, **changed)
    assert (reply.status, data) == (status, b"")
    assert "Access-Control-Allow-Origin" not in reply.headers
    assert spy.heard == []


@pytest.mark.parametrize("name", ["Host", "Origin", "Authorization", "Content-Type"])
def test_a_header_that_stands_twice_counts_as_none(agent, spy, name) -> None:
    send(agent, twice=(name,))
    assert spy.heard == []


@pytest.mark.parametrize(
    "given", [None, "", "Inkan-Card-Agent", "Inkan-Card-Agent AAAA-AAAA-AAAA-AAAA", "Basic {}"]
)
def test_without_the_secret_of_this_start_a_listed_page_is_told_to_pair(agent, spy, given) -> None:
    value = given.format(agent.secret.reveal()) if given else given
    _, data = send(agent, Authorization=value)
    assert json.loads(data)["refusal"]["code"] == "card_agent_unpaired"
    assert spy.heard == []


def test_the_secret_may_be_typed_without_hyphens_and_in_small_letters(agent) -> None:
    typed = agent.secret.reveal().replace("-", "").lower()
    assert "answer" in json.loads(send(agent, Authorization=f"Inkan-Card-Agent {typed}")[1])


def test_every_start_has_a_secret_of_its_own() -> None:
    assert new_secret() != new_secret()


def test_an_oversize_request_is_refused_unread(agent, spy) -> None:
    _, data = send(agent, body=b"", Content_Length=str(10**6))
    assert json.loads(data)["refusal"]["code"] == "card_agent_too_large"
    assert spy.heard == []


def test_a_preflight_opens_the_door_for_a_listed_origin_only(agent) -> None:
    asked = {
        "Access_Control_Request_Method": "POST",
        "Access_Control_Request_Headers": "authorization,content-type",
        "Access_Control_Request_Private_Network": "true",
        "Authorization": None,
        "Content_Type": None,
    }
    reply, _ = send(agent, "OPTIONS", body=b"", **asked)
    assert reply.status == 204
    assert reply.headers["Access-Control-Allow-Private-Network"] == "true"
    assert reply.headers["Access-Control-Allow-Headers"] == "authorization, content-type"
    assert "Access-Control-Allow-Credentials" not in reply.headers
    for changed in (
        {"Origin": "https://evil.example"},
        {"Host": "evil.example"},
        {"Access_Control_Request_Method": "PUT"},
        {"Access_Control_Request_Headers": "x-other"},
    ):
        reply, _ = send(agent, "OPTIONS", body=b"", **{**asked, **changed})
        assert reply.status in {403, 421}
        assert "Access-Control-Allow-Private-Network" not in reply.headers


def test_a_page_that_goes_away_ends_what_was_begun_for_it(agent, spy) -> None:
    spy.go.clear()
    connection = socket.create_connection((HOST, agent.port), timeout=20)
    lines = [f"{name}: {value}" for name, value in good_headers(agent).items()]
    head = "\r\n".join(["POST /v1 HTTP/1.1", *lines, f"Content-Length: {len(GOOD)}", "", ""])
    connection.sendall(head.encode() + GOOD)
    assert spy.began.wait(20)
    connection.close()
    assert spy.closed.wait(20)


def test_more_than_eight_at_once_are_told_that_it_is_busy(agent, spy) -> None:
    spy.go.clear()
    threads = [threading.Thread(target=send, args=(agent,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    while len(spy.heard) < 8:
        spy.began.wait(0.01)
    assert json.loads(send(agent)[1])["refusal"]["code"] == "card_agent_busy"
    spy.go.set()
    for thread in threads:
        thread.join(20)


def test_garbage_instead_of_http_ends_with_its_connection(agent) -> None:
    with socket.create_connection((HOST, agent.port), timeout=20) as connection:
        connection.sendall(b"\x16\x03\x01\x00\xa5\r\n\r\n")
        connection.recv(4096)
    assert send(agent)[0].status == 200


def test_a_fault_of_the_program_is_told(agent, spy) -> None:
    def broken(origin: str, data: bytes) -> bytes:
        raise OSError("the disk is full")

    spy.answer = broken
    _, data = send(agent)
    assert json.loads(data) == {"id": 1, "refusal": {"code": "internal", "facts": {}}}
