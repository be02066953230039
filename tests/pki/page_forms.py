"""Forms of the certificate pages, sent as a browser without scripts sends them."""

import html
import re

from inkan.pki import IssuedCertificate
from pki.hands import order
from support.asgi import Client, Reply
from support.world import PLATFORM, World

OWN = {"origin": PLATFORM, "sec-fetch-site": "same-origin", "accept": "text/html"}
LANGUAGES = ("en", "ja", "zh-Hant")
TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]{64})"')
BOUNDARY = "----edge"


async def token(browser: Client, path: str) -> str:
    found = TOKEN.search((await browser.get(path, headers=OWN)).text)
    assert found is not None
    return found[1]


async def send(
    browser: Client,
    path: str,
    *,
    file: bytes = b"",
    page: str = "",
    language: str = "en",
    **fields: str,
) -> Reply:
    """Send a page's form with a file, as a browser without scripts does."""
    fields["csrf_token"] = await token(browser, page or path)
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="c.cer"\r\n\r\n'
    body = b"".join([*parts, head.encode(), file, f"\r\n--{BOUNDARY}--\r\n".encode()])
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    lines = OWN | {"content-type": kind, "accept-language": language}
    return await browser.post(path, headers=lines, body=body)


def text_of(reply: Reply) -> str:
    """What a reader sees of the page's main part, in one line."""
    main = reply.text.partition("<main")[2]
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)))


async def issued(world: World, number: int = 0) -> IssuedCertificate:
    return await world.platform.pki.issue(order(world, number))
