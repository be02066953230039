"""Forms with files: read strictly, in memory, and without the sender's word about names and types."""

import pytest

from inkan.web.exchange import Exchange
from inkan.web.response import Response, ok
from inkan.web.routes import Bare, Group, Surface
from inkan.web.uploads import read_upload
from support.asgi import Client, Reply
from web.shelf import A_TEST
from web.sites import ClientOf

BOUNDARY = "----edge"


def part(name: str, contents: bytes, *, file: str | None = None) -> bytes:
    named = f'form-data; name="{name}"' + (f'; filename="{file}"' if file is not None else "")
    return f"--{BOUNDARY}\r\nContent-Disposition: {named}\r\n\r\n".encode() + contents + b"\r\n"


def whole(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


async def tell(exchange: Exchange) -> Response:
    upload = await read_upload(exchange)
    return ok({"fields": upload.fields, "files": {n: f.hex() for n, f in upload.files.items()}})


@pytest.fixture
def site(client: ClientOf) -> Client:
    bare = {("POST", "/upload"): Bare(endpoint=tell, access=A_TEST, body_limit=4096)}
    return client(Group(surface=Surface.API, bare=bare))


async def send(
    site: Client, body: bytes, kind: str = f"multipart/form-data; boundary={BOUNDARY}"
) -> Reply:
    return await site.post("/upload", headers={"content-type": kind}, body=body)


async def test_fields_and_files_come_out_and_the_token_does_not(site: Client) -> None:
    body = whole(
        part("csrf_token", b"t"),
        part("name", "印".encode()),
        part("file", b"\x00\r\n--\xff", file="../evil.cer"),
        part("none", b"", file=""),
    )
    reply = await send(site, body)
    assert reply.json() == {
        "fields": {"name": "印"},
        "files": {"file": "000d0a2d2dff", "none": ""},
    }
    assert "evil" not in reply.text


async def test_a_plain_form_is_read_too(site: Client) -> None:
    reply = await send(site, b"name=a+b&csrf_token=t", "application/x-www-form-urlencoded")
    assert reply.json() == {"fields": {"name": "a b"}, "files": {}}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (whole(part("a", b"1"), part("a", b"2")), "name_repeated"),
        (whole(part("a", b"1"), part("a", b"2", file="x")), "name_repeated"),
        (whole(part("a", b"\xff")), "malformed"),
        (part("a", b"1"), "malformed"),
        (b"", "malformed"),
        (b"hello", "malformed"),
        (whole(part("a", b"1").replace(b"; name", b";\r\n name")), "malformed"),
        (whole(*(part(f"f{n}", b"") for n in range(65))), "malformed"),
        (f"--{BOUNDARY}\r\nX: y\r\n\r\n1\r\n--{BOUNDARY}--\r\n".encode(), "malformed"),
        (whole(part("a", bytes(5000))), "too_large"),
    ],
    ids=[
        "twice",
        "twice as file",
        "not UTF-8",
        "no end",
        "empty",
        "no parts",
        "folded header",
        "many",
        "nameless",
        "large",
    ],
)
async def test_what_is_no_form_is_refused(site: Client, body: bytes, code: str) -> None:
    assert (await send(site, body)).json()["code"] == code


@pytest.mark.parametrize(
    "kind", ["application/json", "multipart/form-data", "multipart/mixed; boundary=x", ""]
)
async def test_another_kind_of_body_is_refused(site: Client, kind: str) -> None:
    assert (await send(site, whole(part("a", b"1")), kind)).json()["code"] == "media_type_refused"
