"""``inkan phone``: the reference phone at the command line."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import click

from inkan.client import AsyncTransport, EnrolmentClient, Phone, SoftwareCard, StartedEnrolment
from inkan.client.enrolment import EnrolmentEnded
from inkan.client.exchange import Request, verify_success
from inkan.kernel.errors import Malformed
from inkan.kernel.sensitive import Secret
from inkan.schemes import get_scheme
from inkan.wire.shown import Language

T = TypeVar("T")
_LOOK_AGAIN_S = 1.0
Sign = Callable[[StartedEnrolment, str], Awaitable[bytes]]


class WalletUnknown(Malformed):
    """The wallet's origin does not follow from the platform's."""

    code = "wallet_unknown"
    title = "Name the wallet's origin with --wallet"


phone_option = click.option(
    "--phone",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The phone's file.",
)
passphrase_option = click.option(
    "--passphrase",
    prompt="Passphrase of the phone's file",
    hide_input=True,
    envvar="INKAN_PHONE_PASSPHRASE",
    help="What opens the phone's file; asked for when left out.",
)
platform_option = click.option("--platform", required=True, help="Origin of the platform.")
wallet_option = click.option(
    "--wallet", help="Origin of the wallet; by default wallet.* beside the platform's id.*"
)
name_option = click.option(
    "--name", default="reference phone", show_default=True, help="What you call the phone."
)
lang_option = click.option(
    "--lang",
    type=click.Choice([language.value for language in Language]),
    default=Language.ZH_HANT.value,
    show_default=True,
    help="Language of what the phone shows.",
)


@click.group()
def command() -> None:
    """A reference phone: it keeps its keys in one encrypted file and speaks as the wallet does.

    Example: inkan phone list --phone my.phone
    """


@command.command()
@phone_option
@passphrase_option
@platform_option
@wallet_option
@click.option(
    "--card",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    required=True,
    help="File of the software card.",
)
@name_option
@click.option("--scheme", default="tw-citizen", show_default=True, help="Rule set.")
@lang_option
@click.option("--pin", prompt="PIN of the card", hide_input=True, help="Asked for when left out.")
def enrol(
    *,
    phone: Path,
    passphrase: str,
    platform: str,
    wallet: str | None,
    card: Path,
    name: str,
    scheme: str,
    lang: str,
    pin: str,
) -> None:
    """Bind a new phone with a card: the desk, the phone and the card in one command.

    Example: inkan phone enrol --platform http://id.localhost:8480 --card chen.card --phone my.phone
    """
    made = Phone.create(
        phone,
        Secret(passphrase),
        platform=platform,
        wallet_origin=wallet or _wallet_beside(platform),
        name=name,
        verify_user=_recognised,
        lang=Language(lang),
    )
    sign = partial(_sign, card=SoftwareCard(card), pin=Secret(pin))
    forget = partial(phone.unlink, missing_ok=True)
    asyncio.run(_enrol(made, platform, scheme, sign=sign, forget=forget))
    click.echo(f"Bound. The phone lies in {phone}.")


async def _enrol(
    phone: Phone, platform: str, scheme: str, *, sign: Sign, forget: Callable[[], None]
) -> None:
    async with phone, EnrolmentClient(platform) as desk:
        try:
            started = await desk.start(scheme, terms_version=get_scheme(scheme).terms.version)
            await phone.join(await started.frame())
            click.echo("The phone makes its keys.")
            cms = await sign(started, await phone.prepare())
        except BaseException:
            # Nobody has signed for these keys; after the card has, this file alone holds them and stays.
            forget()
            raise
        await started.submit(cms)
        click.echo("The card signed; the certificates are being issued.")
        await phone.collect()


@command.command()
@phone_option
@passphrase_option
@platform_option
@wallet_option
@click.option("--camera", help="Address that gives the present code as text, as a camera would.")
@name_option
@lang_option
@click.argument("frame", required=False)
def join(
    *,
    phone: Path,
    passphrase: str,
    platform: str,
    wallet: str | None,
    camera: str | None,
    name: str,
    lang: str,
    frame: str | None,
) -> None:
    """Bind a new phone by the code FRAME of the enrolment page; the card signs in the card program.

    A code lives for three seconds, too short to be typed: --camera reads it at the last moment. The phone shows
    the eight digits and waits until the card has signed.

    Example: inkan phone join --platform http://id.localhost:8480 --phone my.phone --camera ADDRESS
    """
    if camera and frame:
        raise click.UsageError("one code: FRAME or --camera")
    made = Phone.create(
        phone,
        Secret(passphrase),
        platform=platform,
        wallet_origin=wallet or _wallet_beside(platform),
        name=name,
        verify_user=_recognised,
        lang=Language(lang),
    )
    forget = partial(phone.unlink, missing_ok=True)
    asyncio.run(_join(made, camera=camera, frame=frame, forget=forget))
    click.echo(f"Bound. The phone lies in {phone}.")


async def _join(
    phone: Phone, *, camera: str | None, frame: str | None, forget: Callable[[], None]
) -> None:
    async with phone:
        try:
            await phone.join(
                await _look(camera) if camera else frame or click.prompt("Address of the code")
            )
            click.echo("The phone makes its keys.")
            digits = await phone.prepare()
        except BaseException:
            # Nobody has signed for these keys; later the card may have, and this file alone holds them.
            forget()
            raise
        click.echo(f"The phone shows  {digits[:4]} {digits[4:]}")
        click.echo("Type these digits in the card program. Waiting for the card…")
        try:
            bound = await phone.collect()
            while bound is None:
                await asyncio.sleep(_LOOK_AGAIN_S)
                bound = await phone.collect()
        except EnrolmentEnded:
            forget()
            raise


async def _sign(
    started: StartedEnrolment, digits: str, *, card: SoftwareCard, pin: Secret[str]
) -> bytes:
    """The desk: the person reads the digits from the phone and types them into the card's dialog."""
    click.echo(f"The phone shows  {digits[:4]} {digits[4:]}")
    typed = click.prompt("The card's dialog asks for these digits").replace(" ", "")
    wanted = await started.to_sign()
    with card:
        return card.sign_request(
            wanted.content, content_type=wanted.content_type, pin=pin, confirm=lambda _: typed
        )


@command.command(name="open")
@phone_option
@passphrase_option
@click.option("--camera", help="Address that gives the present code as text, as a camera would.")
@click.option("--link", help="Address of the wallet that a page on the phone, or an app, opens.")
@click.option("--approval", help="What was pushed to this phone; see: inkan phone waiting")
@click.option("--code", help="With --approval: the six digits that the asking page shows.")
@click.argument("frame", required=False)
def open_(
    *,
    phone: Path,
    passphrase: str,
    camera: str | None,
    link: str | None,
    approval: str | None,
    code: str | None,
    frame: str | None,
) -> None:
    """Open a request and show what is asked: a scanned address FRAME, a link, or what was pushed.

    A code lives for three seconds, too short to be typed: --camera reads it at the last moment.

    Example: inkan phone open --phone my.phone --camera http://taxoffice.localhost:8481/camera/…
    """
    if len([way for way in (camera, link, approval, frame) if way]) > 1:
        raise click.UsageError("one request at a time: FRAME, --camera, --link or --approval")
    if code and not approval:
        raise click.UsageError("--code belongs to --approval")

    async def use(opened: Phone) -> str:
        if approval:
            return (await opened.open_push(approval, code)).text
        if link:
            return (await opened.open_link(link)).text
        scanned = await _look(camera) if camera else frame or click.prompt("Address of the code")
        return (await opened.open_frame(scanned)).text

    click.echo(_with(phone, passphrase, use))
    click.echo("\nDecide with: inkan phone approve, or: inkan phone refuse")


@command.command()
@phone_option
@passphrase_option
def waiting(phone: Path, passphrase: str) -> None:
    """List what was pushed to this phone and waits: who asks and what for.

    Example: inkan phone waiting --phone my.phone
    """

    async def use(opened: Phone) -> None:
        for each in await opened.waiting():
            click.echo(
                f"{each.approval}  {each.domain}  {each.purpose_text}  until {each.expires_at}"
            )
            digits = " --code DIGITS" if each.code_required else ""
            click.echo(f"    inkan phone open --phone {phone} --approval {each.approval}{digits}")

    _with(phone, passphrase, use)


@command.command()
@phone_option
@passphrase_option
def approve(phone: Path, passphrase: str) -> None:
    """Approve the opened request: one confirmation, both proofs.

    A request that came by a link ends in the browser that began; the address for it is printed.

    Example: inkan phone approve --phone my.phone
    """

    async def use(opened: Phone) -> str | None:
        return (await opened.approve()).return_url

    _lead_back("Approved.", _with(phone, passphrase, use))


@command.command()
@phone_option
@passphrase_option
@click.option("--report", is_flag=True, help="Say that you did not start this.")
def refuse(phone: Path, passphrase: str, *, report: bool) -> None:
    """Refuse the opened request.

    Example: inkan phone refuse --phone my.phone --report
    """

    async def use(opened: Phone) -> str | None:
        return (await (opened.report() if report else opened.refuse())).return_url

    _lead_back("Refused." if not report else "Refused and reported.", _with(phone, passphrase, use))


@command.command(name="list")
@phone_option
@passphrase_option
def list_(phone: Path, passphrase: str) -> None:
    """List this person's phones and the records of use.

    Example: inkan phone list --phone my.phone
    """

    async def use(opened: Phone) -> None:
        for each in await opened.phones():
            mark = "this one" if each.this else ""
            click.echo(f"{each.id}  {each.state:10} {each.name}  {mark}")
        for record in await opened.records():
            detail = record.get("detail") or {}
            asker = detail.get("relying_party", "(erased)")
            click.echo(f"{record['at']}  {record['outcome']:8} {asker}")

    _with(phone, passphrase, use)


def _lead_back(done: str, address: str | None) -> None:
    """Say what was done, and where the browser that began goes on."""
    click.echo(done)
    if address:
        click.echo(f"The browser that began goes on within a minute at:\n\n    {address}\n")


def _with(path: Path, passphrase: str, use: Callable[[Phone], Awaitable[T]]) -> T:
    async def run() -> T:
        async with Phone.open(path, Secret(passphrase), verify_user=_recognised) as phone:
            return await use(phone)

    return asyncio.run(run())


async def _look(address: str) -> str:
    """The code that stands at an address now."""
    transport = AsyncTransport()
    try:
        answer = await transport.send(Request(method="GET", url=address, headers={}))
        return verify_success(answer).body.decode("ascii").strip()
    finally:
        await transport.aclose()


def _recognised(*_: object) -> bool:
    """The person at the keyboard, who opened the file with its passphrase, is the phone's user."""
    return click.confirm("Confirm that it is you", default=True)


def _wallet_beside(platform: str) -> str:
    """``wallet.example`` for ``id.example``.

    Raises:
        WalletUnknown: the platform's host does not begin with ``id.``.
    """
    parts = urlsplit(platform)
    if not parts.netloc.startswith("id."):
        raise WalletUnknown(platform)
    return f"{parts.scheme}://wallet.{parts.netloc.removeprefix('id.')}"
