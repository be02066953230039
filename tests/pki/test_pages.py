"""The pages about authorities, as a browser without scripts and as an attacker see them."""

import html
import re

import pytest

from inkan.crypto.certificate_file import pem
from inkan.pki.pages import MENU
from pki.hands import on_sqlite
from pki.hierarchies import across, add
from pki.page_forms import LANGUAGES, OWN, TOKEN, send, text_of
from support import pki
from support.asgi import Client
from support.world import PLATFORM, World

PAGES = {
    "/ca": ("Hierarchy", "階層", "體系"),
    "/ca/handbook": ("Second way", "二つ目の方法", "第二種管道"),
    "/certificates/view": ("Or paste it", "または貼り付け", "或貼上內容"),
    "/certificates/status": ("By serial number", "シリアル番号で照会", "以序號查詢"),
}

pytestmark = on_sqlite


@pytest.fixture
def browser(world: World) -> Client:
    return Client(world.instance.application, PLATFORM)


# --- all pages -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_speaks_three_languages(browser: Client, path: str) -> None:
    for language, text in zip(LANGUAGES, PAGES[path], strict=True):
        reply = await browser.get(path, headers=OWN | {"accept-language": language})
        assert reply.status == 200
        assert f'<html lang="{language}"' in reply.text
        assert text in text_of(reply)
        assert all(html.escape(item.path) in reply.text for item in MENU)


# --- authorities -----------------------------------------------------------------------------------------


@pytest.mark.req("JPKI-36", "JPKI-37")
@pytest.mark.parametrize("path", ["/ca", "/ca/handbook"])
async def test_both_ways_show_the_thumbprint_of_every_root(
    world: World, browser: Client, path: str
) -> None:
    await add(world.platform.db, across())
    await world.platform.pki.load()
    seen = text_of(await browser.get(path, headers=OWN)).replace(" ", "")
    for line in world.platform.pki.authorities():
        if line.role == "root":
            assert line.thumbprint_sha256.replace(":", "") in seen, line.name


async def test_a_ceremony_is_seen_at_once(world: World, browser: Client) -> None:
    assert "Phone CA" not in text_of(await browser.get("/ca", headers=OWN)).replace(
        "Test Phone CA", ""
    )
    await add(world.platform.db, across())
    await world.platform.pki.load()
    assert "Root B" in text_of(await browser.get("/ca", headers=OWN))


async def test_the_downloads_are_the_certificates(world: World, browser: Client) -> None:
    page = await browser.get("/ca", headers=OWN)
    links = re.findall(r'href="(/ca/[\w-]+\.(?:cer|pem))"', page.text)
    assert len(links) == 2 * len(world.platform.pki.authorities())
    root = world.platform.pki.anchors()[0]
    assert (await browser.get("/ca/root.cer")).body == root
    downloaded = await browser.get("/ca/root.pem")
    assert (downloaded.status, downloaded.text) == (200, pem(root))
    assert (await browser.get("/ca/root.txt")).status == 400
    assert (await browser.get("/ca/nobody.pem")).status == 404


@pytest.mark.req("JPKI-36")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", ["der", "pem"])
async def test_a_file_of_ours_is_named(
    world: World, browser: Client, language: str, form: str
) -> None:
    root = world.platform.pki.anchors()[0]
    file = root if form == "der" else pem(root).encode()
    reply = await send(browser, "/ca/check", file=file, language=language)
    words = {"en": "one of our", "ja": "これは当方の証明書です", "zh-Hant": "這是本中心的憑證"}
    assert reply.status == 200
    head = text_of(reply).partition("DER")[0]
    assert words[language] in head
    assert "Inkan Test Root CA" in head


async def test_a_strangers_file_is_warned_of(browser: Client) -> None:
    twin = pki.Authority.root("Inkan Test Root CA").certificate.der
    reply = await send(browser, "/ca/check", file=twin)
    assert reply.status == 200
    assert 'role="alert"' in reply.text
    assert "This is none of our certificates" in reply.text.partition("data-outcome")[0]


@pytest.mark.parametrize("file", [b"", b"hello", b"\x30\x82" + bytes(40_000)])
async def test_a_file_without_a_certificate_is_told_on_the_page(
    browser: Client, file: bytes
) -> None:
    reply = await send(browser, "/ca/check", file=file)
    assert reply.status in {400, 413}
    assert "This did not work" in reply.text
    assert TOKEN.search(reply.text)


async def test_a_huge_upload_is_refused_before_it_is_read(browser: Client) -> None:
    assert (await send(browser, "/ca/check", file=bytes(200_000))).status == 413
