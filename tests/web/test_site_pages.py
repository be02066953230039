"""A site's pages: forms of our own alone, a remembered language, and headers loosened one by one."""

from inkan.web import headers
from inkan.web.exchange import Exchange, MenuItem
from inkan.web.response import Response, ok
from inkan.web.routes import Bare, Group, Surface
from support.asgi import Client
from web.shelf import A_TEST, Shelf, Thing, nothing, who
from web.sites import ORIGIN, WALLET, ClientOf


async def test_a_form_of_our_own_page_is_taken(site: Client, shelf: Shelf) -> None:
    token = (await site.get("/page")).text
    own = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
    reply = await site.post("/page", form={"name": "印", "csrf_token": token}, headers=own)
    assert (reply.status, reply.header("location")) == (303, "/page")
    assert shelf.things == [Thing("印")]
    by_header = await site.post("/page", form={"name": "b"}, headers={**own, "x-csrf-token": token})
    assert by_header.status == 303


async def test_the_token_is_stable_for_one_browser(site: Client) -> None:
    first = await site.get("/page")
    assert len(first.all("set-cookie")) == 1
    second = await site.get("/page")
    assert second.all("set-cookie") == []
    assert first.text == second.text
    other = Client(site.application, ORIGIN)
    assert (await other.get("/page")).text != first.text


async def test_the_language_is_remembered(client: ClientOf) -> None:
    async def which(exchange: Exchange) -> Response:
        return ok([exchange.language, exchange.in_language(exchange.language)])

    bare = {("GET", "/which"): Bare(endpoint=which, access=A_TEST)}
    site = client(Group(surface=Surface.PAGES, bare=bare))
    japanese = {"accept-language": "ja"}
    assert (await site.get("/which", headers=japanese)).json()[0] == "ja"
    chosen = await site.get("/which?a=b&lang=zh-Hant", headers=japanese)
    assert chosen.json() == ["zh-Hant", "?a=b&lang=zh-Hant"]
    assert (await site.get("/which", headers=japanese)).json()[0] == "zh-Hant"
    assert (await site.get("/which?lang=de", headers=japanese)).json()[0] == "zh-Hant"


async def test_a_page_may_end_at_its_registered_return_address(client: ClientOf) -> None:
    async def returning(exchange: Exchange) -> Response:
        exchange.allow_form_to("https://rp.example")
        return exchange.page("web/layout.html")

    bare = {("GET", "/return"): Bare(endpoint=returning, access=A_TEST)}
    site = client(Group(surface=Surface.PAGES, bare=bare))
    csp = (await site.get("/return")).header("content-security-policy") or ""
    assert "form-action 'self' https://rp.example;" in csp
    assert "https://rp.example" not in (
        (await site.get("/nosuch")).header("content-security-policy") or ""
    )


async def test_a_page_is_relaxed_by_its_template(client: ClientOf) -> None:
    scan = headers.PAGES.granting("camera")
    bare = {
        ("GET", path): Bare(endpoint=nothing, access=A_TEST) for path in ("/scan/{id}", "/other")
    }
    site = client(Group(surface=Surface.PAGES, bare=bare, relax={"/scan/{id}": scan}))
    assert "camera=(self)" in ((await site.get("/scan/a")).header("permissions-policy") or "")
    assert "camera=()" in ((await site.get("/other")).header("permissions-policy") or "")


async def test_the_menu_shows_what_the_reader_may(client: ClientOf) -> None:
    async def shown(exchange: Exchange) -> Response:
        await exchange.find_principal()
        return ok([item.path for item in exchange.menu()])

    bare = {("GET", "/menu"): Bare(endpoint=shown, access=A_TEST)}
    menu = (
        MenuItem(text="Menu", path="/"),
        MenuItem(text="Menu", path="/console", roles=frozenset({"officer"})),
    )
    site = client(Group(surface=Surface.PAGES, bare=bare, authenticator=who), menu=menu)
    assert (await site.get("/menu")).json() == ["/"]
    officer = {"authorization": "officer"}
    assert (await site.get("/menu", headers=officer)).json() == ["/", "/console"]


async def test_static_files_are_on_every_site(site: Client) -> None:
    url = site.application._nowhere.templates.assets.url("web/base.css")
    for origin in (ORIGIN, WALLET):
        reply = await Client(site.application, origin).get(url)
        assert reply.header("content-type") == "text/css; charset=utf-8"
        assert "immutable" in (reply.header("cache-control") or "")
