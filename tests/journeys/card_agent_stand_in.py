"""What stands in for the card agent where a journey is about the page: the extension's side of a port, and a test card.

It speaks as the agent does (requests with a number, answers or refusals with the same number), refuses contents whose
origin is not the page's, and signs with the applet in this process. The PIN is the stand-in's own, as a dialog's is.
"""

from dataclasses import dataclass, field
from typing import Any

from inkan.client.piv_card import PivCard
from inkan.client.piv_layout import KeyUse
from inkan.crypto import base64url
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.crypto.keys import KeySpec
from inkan.demo.country import CARD_YEARS, Country
from inkan.kernel.calendar import last_instant
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Personal, Secret
from inkan.pki import CertificateOrder, IssuedCertificate, SubjectName
from inkan.schemes import get_scheme
from inkan.wire.card_request import parse_submission
from support.browser import Window, within
from support.card_in_process import ReaderInProcess
from support.piv_applet import PivApplet

PIN = Secret("Abc246")
MANAGEMENT_KEY = Secret(bytes(range(16)))

# The extension's content script: takes the page's port, says that it is there, and hands requests on.
_CONTENT_SCRIPT = """
addEventListener("message", ({ data, ports: [port], origin }) => {
  if (!data?.["inkan-card-agent"] || !port) return;
  port.onmessage = async ({ data: request }) => {
    if (!request.close) port.postMessage(await inkanStandIn(origin, request));
  };
  port.postMessage({ present: true });
});
"""


@dataclass
class StandIn:
    """The agent and the reader beside one window.

    Attributes:
        pin: what the person types into the dialog.
        asked: commands as they came.
    """

    reader: ReaderInProcess = field(default_factory=ReaderInProcess)
    pin: Secret[str] = PIN
    asked: list[str] = field(default_factory=list)

    async def attend(self, window: Window) -> None:
        """Stand beside this window; before its first page."""
        await within(window.context.expose_function("inkanStandIn", self.answer))
        await within(window.context.add_init_script(_CONTENT_SCRIPT))

    def answer(self, origin: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to one request."""
        self.asked.append(request["command"])
        try:
            return {"id": request["id"], "answer": self._do(origin, request)}
        except InkanError as refused:
            refusal = {"code": refused.code, "facts": refused.public_facts}
            return {"id": request["id"], "refusal": refusal}

    def _do(self, origin: str, request: dict[str, Any]) -> dict[str, Any]:
        if request["command"] == "hello":
            return {"version": 1}
        assert (request["command"], request["key"]) == ("sign", "signature")
        content = base64url.decode(request["content"])
        assert parse_submission(content).origin == origin
        with PivCard(self.reader) as card:
            signed = card.sign_request(
                content,
                content_type=request["content_type"],
                pin=self.pin,
                confirm=lambda _: "",
            )
        return {"cms": base64url.encode(signed)}


async def make_card(founded: Country, key: str) -> tuple[PivApplet, IssuedCertificate]:
    """A card with a chip for a citizen, as a counter makes it: the key inside, the certificate written."""
    applet, platform, citizen = PivApplet(), founded.instance.platform, founded.citizens[key]
    with PivCard(ReaderInProcess(applet), KeyUse.SIGNATURE) as card:
        csr = card.make_key(KeySpec.P256, pin=PIN, management_key=MANAGEMENT_KEY)
        offset = get_scheme(founded.scheme).utc_offset
        issued = await platform.pki.issue(
            CertificateOrder(
                order_key=f"chip:{citizen.person.id}",
                profile="card-sign",
                owner=citizen.person.id,
                subject=SubjectName(
                    common_name=Personal(citizen.part.name),
                    serial_number=citizen.person.subject_serial,
                ),
                spki=verify_csr(parse_csr(csr)).spki,
                not_after=last_instant(founded.clock.now(), years=CARD_YEARS, utc_offset=offset),
            )
        )
        card.put_certificate(
            issued.der, issuers=issued.chain, pin=PIN, management_key=MANAGEMENT_KEY
        )
    return applet, issued
