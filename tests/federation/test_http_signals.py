"""Shared Signals: a system's stream, its configuration and its status (rows SSF-)."""

import json
from typing import Any

import pytest

from federation.leavers import (
    EVENTS,
    Receiver,
)
from federation.receivers import (
    CREDENTIAL_CHANGE,
    DELIVERY,
    PUSH,
    SESSION_REVOKED,
    STATUS,
    STREAMS,
    VERIFICATION,
    VERIFY,
    Caller,
    caller,
    heard,
)
from identification.callers import WebClient
from inkan.federation.rules import SUPPORTED
from support.clock import StandingClock
from support.world import PLATFORM, World

# --- metadata and configuration ----------------------------------------------------------------------


@pytest.mark.behaviour("SSF-1")
async def test_the_metadata_names_what_works_and_nothing_else(told_web: WebClient) -> None:
    answer = await told_web.get("/.well-known/ssf-configuration")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "spec_version": "1_0",
        "issuer": PLATFORM,
        "jwks_uri": f"{PLATFORM}/openid/jwks",
        "delivery_methods_supported": [PUSH],
        "configuration_endpoint": PLATFORM + STREAMS,
        "status_endpoint": PLATFORM + STATUS,
        "verification_endpoint": PLATFORM + VERIFY,
        "authorization_schemes": [
            {"spec_urn": "urn:ietf:rfc:6749"},
            {"spec_urn": "urn:ietf:rfc:9449"},
        ],
        "default_subjects": "ALL",
    }


@pytest.mark.behaviour("SSF-2")
async def test_a_stream_is_created_and_read(listener: Caller) -> None:
    wanted = [CREDENTIAL_CHANGE, "urn:example:unknown"]
    made = await listener.begin(events_requested=wanted, description="the listener's")
    stream = made["stream_id"]
    assert made == {
        "stream_id": stream,
        "iss": PLATFORM,
        "aud": "shop",
        "delivery": DELIVERY,
        "events_supported": [str(each) for each in SUPPORTED],
        "events_requested": wanted,
        "events_delivered": [CREDENTIAL_CHANGE],
        "min_verification_interval": 60,
        "description": "the listener's",
    }
    answer = await listener.call("GET", f"{STREAMS}?stream_id={stream}")
    assert answer.json() == made
    assert answer.headers["cache-control"] == "no-store"
    assert (await listener.call("GET", STREAMS)).json() == [made]


@pytest.mark.behaviour("SSF-3")
async def test_without_a_stream_the_list_is_empty(listener: Caller) -> None:
    assert (await listener.call("GET", STREAMS)).json() == []


@pytest.mark.behaviour("SSF-4")
async def test_a_system_has_one_stream(listener: Caller) -> None:
    await listener.begin()
    answer = await listener.call("POST", STREAMS, body={"delivery": DELIVERY})
    assert (answer.status_code, answer.json()["code"]) == (409, "signals_stream_exists")


@pytest.mark.behaviour("SSF-5")
@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/events",
        "https://tax.example.evil.example/events",
        "http://tax.example/events",
        "https://127.0.0.1/events",
        "https://user@tax.example/events",
        "https://tax.example/../events",
        "ftp://tax.example/",
        "events",
    ],
)
async def test_events_go_to_the_systems_own_domain_only(listener: Caller, url: str) -> None:
    body = {"delivery": {"method": PUSH, "endpoint_url": url}}
    answer = await listener.call("POST", STREAMS, body=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "signals_stream_refused")
    made = await listener.begin()
    for method in ("PATCH", "PUT"):
        answer = await listener.call(method, STREAMS, body=body | {"stream_id": made["stream_id"]})
        assert answer.status_code == 400
    assert (await listener.call("GET", STREAMS)).json() == [made]


@pytest.mark.behaviour("SSF-6")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"delivery":{"method":"urn:ietf:rfc:8936"}}',
        b'{"delivery":{"method":"urn:ietf:rfc:8936","endpoint_url":"https://tax.example/e"}}',
        b'{"delivery":{"method":"urn:ietf:rfc:8935"}}',
        b'{"delivery":1,"delivery":2}',
        json.dumps({"delivery": DELIVERY, "events_requested": "x"}).encode(),
        json.dumps({"delivery": DELIVERY, "events_requested": ["x"] * 33}).encode(),
        json.dumps({"delivery": DELIVERY, "description": "a\nb"}).encode(),
        json.dumps({"delivery": DELIVERY | {"authorization_header": "a\r\nb: c"}}).encode(),
        json.dumps({"delivery": DELIVERY | {"authorization_header": ""}}).encode(),
    ],
)
async def test_a_malformed_configuration_is_refused(listener: Caller, body: bytes) -> None:
    answer = await listener.call("POST", STREAMS, body=body)
    assert answer.status_code == 400
    assert (await listener.call("GET", STREAMS)).json() == []


@pytest.mark.behaviour("SSF-7")
async def test_a_patch_changes_what_it_names(listener: Caller) -> None:
    made = await listener.begin(description="before")
    body = {"stream_id": made["stream_id"], "events_requested": [SESSION_REVOKED]}
    answer = await listener.call("PATCH", STREAMS, body=body)
    assert answer.status_code == 200
    assert answer.json() == made | {
        "events_requested": [SESSION_REVOKED],
        "events_delivered": [SESSION_REVOKED],
    }


@pytest.mark.behaviour("SSF-8")
async def test_a_put_replaces_everything(listener: Caller) -> None:
    made = await listener.begin(description="before", events_requested=[SESSION_REVOKED])
    url = f"{EVENTS}/2"
    body = made | {"delivery": {"method": PUSH, "endpoint_url": url}}
    del body["events_requested"], body["description"], body["events_delivered"]
    answer = await listener.call("PUT", STREAMS, body=body)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert "description" not in said
    assert "events_requested" not in said
    assert said["delivery"]["endpoint_url"] == url
    assert said["events_delivered"] == said["events_supported"]


@pytest.mark.behaviour("SSF-9")
@pytest.mark.parametrize(
    "bent",
    [
        {"iss": "https://evil.example"},
        {"aud": "bank"},
        {"events_supported": []},
        {"events_delivered": ["x"]},
        {"min_verification_interval": 1},
    ],
)
async def test_what_the_transmitter_supplies_is_not_changed(
    listener: Caller, bent: dict[str, Any]
) -> None:
    made = await listener.begin()
    for method in ("PATCH", "PUT"):
        answer = await listener.call(method, STREAMS, body=made | bent)
        assert (answer.status_code, answer.json()["code"]) == (400, "signals_stream_refused")
        # What was read may be sent back as it is.
        assert (await listener.call(method, STREAMS, body=made)).status_code == 200


@pytest.mark.behaviour("SSF-10")
async def test_a_stream_is_deleted(listener: Caller, receiver: Receiver, told: World) -> None:
    made = await listener.begin()
    assert (await listener.verify(made["stream_id"])).status_code == 204
    path = f"{STREAMS}?stream_id={made['stream_id']}"
    assert (await listener.call("DELETE", path)).status_code == 204
    assert (await listener.call("DELETE", path)).status_code == 404
    assert (await listener.call("DELETE", STREAMS)).status_code == 400
    await told.instance.outbox.run_due()
    assert receiver.heard == []
    assert (await listener.begin())["stream_id"] != made["stream_id"]


@pytest.mark.behaviour("SSF-11")
async def test_another_systems_stream_is_nobodys(
    listener: Caller, told: World, told_web: WebClient, clock: StandingClock
) -> None:
    theirs = (await listener.begin())["stream_id"]
    bank = await caller(told, told_web, clock, "bank")
    own = await bank.begin()
    made_up = "stm_" + "a" * 26
    for stream in (theirs, made_up):
        named = {"stream_id": stream}
        answers = [
            await bank.call("GET", f"{STREAMS}?stream_id={stream}"),
            await bank.call("PATCH", STREAMS, body=named),
            await bank.call("PUT", STREAMS, body=named | {"delivery": DELIVERY}),
            await bank.call("DELETE", f"{STREAMS}?stream_id={stream}"),
            await bank.call("GET", f"{STATUS}?stream_id={stream}"),
            await bank.put_status(stream, "disabled"),
            await bank.verify(stream),
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert {answer.json()["code"] for answer in answers} == {"signals_stream_not_found"}
    assert (await bank.call("GET", STREAMS)).json() == [own]


@pytest.mark.behaviour("SSF-12")
async def test_nobody_manages_streams_without_a_token(told_web: WebClient) -> None:
    for method, path in (
        ("GET", STREAMS),
        ("POST", STREAMS),
        ("PATCH", STREAMS),
        ("PUT", STREAMS),
        ("DELETE", STREAMS),
        ("GET", STATUS),
        ("POST", STATUS),
        ("POST", VERIFY),
    ):
        for headers in ({}, {"authorization": "Bearer x"}, {"authorization": "DPoP x"}):
            answer = await told_web.request(method, path, headers=headers)
            assert answer.status_code == 401, (method, path)


# --- status ------------------------------------------------------------------------------------------


@pytest.mark.behaviour("SSF-13")
async def test_a_new_stream_is_enabled_and_its_status_is_read(listener: Caller) -> None:
    stream = (await listener.begin())["stream_id"]
    answer = await listener.call("GET", f"{STATUS}?stream_id={stream}")
    assert answer.json() == {"stream_id": stream, "status": "enabled"}
    for status in ("paused", "paused", "disabled", "enabled"):
        answer = await listener.put_status(stream, status)
        assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert (await listener.put_status(stream, "running")).status_code == 400


@pytest.mark.behaviour("SSF-14")
async def test_a_paused_stream_keeps_its_events_and_sends_them_in_order(
    listener: Caller, told: World, receiver: Receiver, clock: StandingClock
) -> None:
    stream = (await listener.begin())["stream_id"]
    await listener.put_status(stream, "paused")
    for state in ("1", "2"):
        assert (await listener.verify(stream, state=state)).status_code == 204
        clock.tick(61)
    await told.instance.outbox.run_due()
    assert receiver.heard == []
    listener.token = ""
    await listener.put_status(stream, "enabled")
    await told.instance.outbox.run_due()
    said = [await heard(told, body) for body in receiver.at(EVENTS)]
    assert sorted(each["events"][VERIFICATION]["state"] for each in said) == ["1", "2"]


@pytest.mark.behaviour("SSF-15")
async def test_a_pause_holds_what_was_ordered_before_it(
    listener: Caller, told: World, receiver: Receiver
) -> None:
    stream = (await listener.begin())["stream_id"]
    await listener.verify(stream)
    await listener.put_status(stream, "paused")
    await told.instance.outbox.run_due()
    assert receiver.heard == []
    await listener.put_status(stream, "enabled")
    await told.instance.outbox.run_due()
    assert len(receiver.heard) == 1


@pytest.mark.behaviour("SSF-16")
async def test_a_disabled_stream_drops_its_events(
    listener: Caller, told: World, receiver: Receiver
) -> None:
    stream = (await listener.begin())["stream_id"]
    await listener.verify(stream)
    await listener.put_status(stream, "disabled")
    answer = await listener.verify(stream)
    assert (answer.status_code, answer.json()["code"]) == (409, "signals_stream_disabled")
    await listener.put_status(stream, "enabled")
    await told.instance.outbox.run_due()
    assert receiver.heard == []
