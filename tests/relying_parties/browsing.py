"""A browser for pages behind a login, without JavaScript."""

import html
import re

from inkan.accounts import LOGIN_COOKIE
from support.asgi import Client, Reply
from support.world import PLATFORM, World

OWN = {"origin": PLATFORM, "sec-fetch-site": "same-origin", "accept": "text/html"}
TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]{64})"')
VERSION = re.compile(r'name="version" value="(\d+)"')
BOUNDARY = "----edge"


class Browser:
    """Somebody's browser: keeps the login, takes CSRF token and version from the page before."""

    def __init__(self, world: World, token: str) -> None:
        application = world.instance.application
        self.client = Client(application, PLATFORM)
        self.client.cookies[LOGIN_COOKIE] = token
        self.page: Reply = Reply()

    async def go(self, path: str, **headers: str) -> Reply:
        self.page = await self.client.get(path, headers=OWN | headers)
        return self.page

    async def send(
        self, path: str, *, file: bytes | None = None, field: str = "seal", **fields: str
    ) -> Reply:
        """Send a form; ``field`` is the name of its file."""
        found = TOKEN.search(self.page.text)
        assert found is not None, self.page.text
        form = {"csrf_token": found[1], **fields}
        if "version" not in form and (version := VERSION.search(self.page.text)):
            form["version"] = version[1]
        if file is None:
            reply = await self.client.post(path, headers=OWN, form=form)
        else:
            reply = await self._upload(path, form, field, file)
        if reply.status == 303:
            return await self.go(str(reply.header("location")))
        return reply

    async def _upload(self, path: str, form: dict[str, str], field: str, file: bytes) -> Reply:
        parts = [
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode()
            for n, v in form.items()
        ]
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="s"\r\n\r\n'
        )
        body = b"".join([*parts, head.encode(), file, f"\r\n--{BOUNDARY}--\r\n".encode()])
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        return await self.client.post(path, headers=OWN | {"content-type": kind}, body=body)


def text_of(reply: Reply) -> str:
    main = reply.text.partition("<main")[2]
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)))
