"""The verify page: what is recognised, what a reader learns, and that hostile files are only text."""

import pytest

from inkan.approvals import UsageRecord
from inkan.client import Phone, Session
from inkan.crypto.certificate_file import pem
from inkan.kernel.ids import PersonID
from inkan.portal.pages.judged_words import CHECKS
from inkan.portal.pages.verify import SENT_LIMIT
from inkan.wire.evidence import evidence_bytes
from pki.hands import on_sqlite
from portal.browsers import OWN, Browser, body_of, csrf_of
from support.asgi import Reply
from support.world import World

pytestmark = on_sqlite

PROBE = "<img src=x onerror=alert(1)>"
BOUNDARY = "a-boundary-that-is-nowhere-else"


async def show(browser: Browser, data: bytes, *, language: str = "en") -> Reply:
    """Send a file by the page's form, as a browser does."""
    token = csrf_of(await browser.see("/verify"))
    parts = [
        f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n',
        f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n',
    ]
    body = "".join(parts).encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()
    headers = OWN | {
        "content-type": f"multipart/form-data; boundary={BOUNDARY}",
        "accept-language": language,
    }
    return await browser.post("/verify", headers=headers, body=body)


@pytest.fixture
async def session(world: World, phone: Phone) -> Session:
    return await world.identify(
        await world.agency("evil", name=PROBE), phone, purpose="file_return"
    )


async def test_a_receipt_alone(browser: Browser, session: Session) -> None:
    receipt = (await session.receipt()).jws
    page = body_of(await show(browser, receipt.encode()))
    assert "Valid" in page
    assert PROBE not in page
    assert "&lt;img src=x" in page
    assert "that a person approved this at all: no evidence was given" in page
    assert page.count("needs the evidence") == len(CHECKS) - 4
    assert "None" in page
    assert "Nothing ties the answer to one browser." in page


async def test_with_its_evidence(browser: Browser, session: Session, world: World) -> None:
    await world.platform.audit.sequence_once()
    await world.platform.audit.sign_head()
    bundle, _ = await session.evidence()
    reply = await show(browser, evidence_bytes(bundle))
    page = body_of(reply)
    assert reply.status == 200
    assert "Valid" in page
    assert "no evidence was given" not in page
    assert page.count('class="check-passed"') == len(CHECKS)
    assert reply.header("cache-control") == "no-store"


async def test_a_changed_receipt(browser: Browser, session: Session) -> None:
    head, payload, signature = (await session.receipt()).jws.split(".")
    changed = ".".join((head, payload, ("A" if signature[0] != "A" else "B") + signature[1:]))
    page = body_of(await show(browser, changed.encode()))
    assert "Invalid" in page
    assert "What the file says, unproved" in page
    assert "receipt-foot" not in page, "the seal under what is not proved"
    assert "The signature over the receipt holds" in page
    assert "not reached" in page


async def test_the_proof_of_a_use(browser: Browser, world: World, session: Session) -> None:
    person, record = await _newest(world)
    await world.platform.audit.sequence_once()
    await world.platform.audit.sign_head()
    proof = await world.platform.identification.use_proof(person, record.id)
    page = body_of(await show(browser, proof))
    assert "This use stands in the platform" in page
    changed = proof.replace(b'"outcome":"ok"', b'"outcome":"refused"', 1)
    assert changed != proof
    assert "Invalid" in body_of(await show(browser, changed))


async def test_a_certificate_in_both_spellings(browser: Browser, world: World) -> None:
    issued = (await world.citizen("lin")).certificate
    for data in (issued.der, pem(issued.der).encode()):
        page = body_of(await show(browser, data))
        assert "This certificate is valid" in page
        assert "Chain of authorities" in page
        assert "林志明" in page


JUNK = (b"", b"  \n", b"hello", b"{}", b"{" * 5000, b"[1]", b'{"receipt":1}', b"a.b", b"\xff\xfe")


async def test_junk_is_told_on_the_page(browser: Browser) -> None:
    for junk in JUNK:
        reply = await show(browser, junk)
        assert reply.status == 400, junk
        assert "This did not work" in reply.text


async def test_a_large_file_is_refused(browser: Browser) -> None:
    assert (await show(browser, b"a." * SENT_LIMIT)).status == 413
    assert (await show(browser, b"a" * (SENT_LIMIT + 1))).status == 413


async def test_the_answer_speaks_the_readers_language(browser: Browser, session: Session) -> None:
    receipt = (await session.receipt()).jws.encode()
    for language, valid in (("ja", "有効"), ("zh-Hant", "有效")):
        page = body_of(await show(browser, receipt, language=language))
        assert valid in page
        assert "The person agreed" not in page


async def _newest(world: World) -> tuple[PersonID, UsageRecord]:
    person = PersonID((await world.citizen("chen")).person.id)
    return person, (await world.platform.identification.records(person, before=None))[0]
