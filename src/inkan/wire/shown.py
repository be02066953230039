"""The text that a person reads before deciding, and whose hash the phone signs.

The platform renders it, the phone shows it, hashes what it showed and refuses a draft with another hash, so
that nobody can say later that something else stood on the screen. A text is a function of its arguments
alone: versioned templates, three languages, line feeds, no date and no number format. It names who asks,
what for, what is given, where the request was started and what is signed (TW-51, threats 1 and 22).
"""

import hashlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from inkan.crypto import base64url
from inkan.kernel.errors import Malformed
from inkan.wire.binding import StatementDoor
from inkan.wire.claims import Claim, claim_names
from inkan.wire.contents import Content
from inkan.wire.forms import CLAIMS_LIMIT, TEXT_LIMIT, verify_line
from inkan.wire.session import Kind

_FINGERPRINT_BYTES: Final = 8


class ShownImpossible(Malformed):
    """The template cannot tell the truth about these arguments."""

    code = "shown_impossible"
    title = "This request cannot be shown to a person as it is"


class Language(StrEnum):
    """The languages of everything that a person reads."""

    ZH_HANT = "zh-Hant"
    JA = "ja"
    EN = "en"


class Template(StrEnum):
    """A wording with its version. A change of one character in a text is a new version."""

    IDENTIFY_V1 = "identify.v1"
    APPROVE_V1 = "approve.v1"
    SIGN_V1 = "sign.v1"


TEMPLATE_KIND: Final[Mapping[Template, Kind]] = MappingProxyType(
    {
        Template.IDENTIFY_V1: Kind.IDENTIFY,
        Template.APPROVE_V1: Kind.APPROVE,
        Template.SIGN_V1: Kind.SIGN,
    }
)


class Wording(NamedTuple):
    """What differs between templates, in one language."""

    heading: str
    contents: str  # above the list of contents; empty where a template has none
    effect: str  # what deciding means


class Labels(NamedTuple):
    """What all templates share, in one language."""

    colon: str
    separator: str  # between claims
    asker: str
    domain: str
    purpose: str
    given: str
    pseudonym: str  # given: the pairwise reference and nothing else
    pseudonym_and_claims: str  # given: the reference and attributes, perhaps the name among them
    name_and_certificate: str  # given: full evidence
    claims: str
    started: str
    closing: str


LABELS: Final[Mapping[Language, Labels]] = MappingProxyType(
    {
        Language.ZH_HANT: Labels(
            colon="：",
            separator="、",
            asker="請求者",
            domain="網域",
            purpose="用途",
            given="提供給對方的資料",
            pseudonym="只有一組對方專用的代號，不含您的姓名與憑證。",
            pseudonym_and_claims="一組對方專用的代號，以及下列資料。",
            name_and_certificate="您的姓名與您的憑證。",
            claims="另外提供",
            started="發起方式",
            closing="如果不是您自己發起的，請按「拒絕」。",
        ),
        Language.JA: Labels(
            colon="：",
            separator="、",
            asker="依頼者",
            domain="ドメイン",
            purpose="目的",
            given="相手に伝わる情報",
            pseudonym="この相手専用の番号だけです。お名前と証明書は伝わりません。",
            pseudonym_and_claims="この相手専用の番号と、下に示す情報です。",
            name_and_certificate="お名前と証明書です。",
            claims="あわせて伝わる情報",
            started="始まり方",
            closing="ご自分で始めたものでなければ、「拒否」を選んでください。",
        ),
        Language.EN: Labels(
            colon=": ",
            separator=", ",
            asker="Asked by",
            domain="Domain",
            purpose="Purpose",
            given="What is given",
            pseudonym="only a code that stands for you with this organisation; not your name or certificate.",
            pseudonym_and_claims="a code that stands for you with this organisation, and what is listed below.",
            name_and_certificate="your name and your certificate.",
            claims="Also given",
            started="How it started",
            closing="If you did not start this yourself, choose Refuse.",
        ),
    }
)

WORDINGS: Final[Mapping[Template, Mapping[Language, Wording]]] = MappingProxyType(
    {
        Template.IDENTIFY_V1: {
            Language.ZH_HANT: Wording("身分識別", "", "同意後，對方即可確認是您本人。"),
            Language.JA: Wording(
                "本人確認", "", "承認すると、相手はご本人であることを確認できます。"
            ),
            Language.EN: Wording(
                "Identification", "", "If you approve, the organisation can be sure that it is you."
            ),
        },
        Template.APPROVE_V1: {
            Language.ZH_HANT: Wording("同意確認", "相關文件", "同意後，對方會取得您已同意的證明。"),
            Language.JA: Wording(
                "承認の依頼", "関連する文書", "承認すると、承認したことの証明が相手に渡ります。"
            ),
            Language.EN: Wording(
                "Approval",
                "Documents concerned",
                "If you approve, the organisation gets proof that you approved.",
            ),
        },
        Template.SIGN_V1: {
            Language.ZH_HANT: Wording(
                "電子簽署", "要簽署的文件", "簽署後，效力視同您親自簽名或蓋章。"
            ),
            Language.JA: Wording(
                "電子署名の依頼",
                "署名する文書",
                "署名は、ご自身の署名または押印と同じ意味を持ちます。",
            ),
            Language.EN: Wording(
                "Signature",
                "Documents to sign",
                "If you sign, it counts like your own signature or seal.",
            ),
        },
    }
)

STARTED: Final[Mapping[StatementDoor, Mapping[Language, str]]] = MappingProxyType(
    {
        StatementDoor.QR: {
            Language.ZH_HANT: "您用這部裝置掃描了另一個畫面上的 QR 碼。",
            Language.JA: "この端末で、別の画面の QR コードを読み取りました。",
            Language.EN: "you scanned a QR code on another screen with this device.",
        },
        StatementDoor.PUSH: {
            Language.ZH_HANT: "由另一個畫面傳送到這部裝置。",
            Language.JA: "別の画面から、この端末に届きました。",
            Language.EN: "it was sent to this device from another screen.",
        },
        StatementDoor.WEB_LINK: {
            Language.ZH_HANT: "由這部裝置的瀏覽器開啟。",
            Language.JA: "この端末のブラウザーから開かれました。",
            Language.EN: "it was opened from the browser of this device.",
        },
        StatementDoor.APP_LINK: {
            Language.ZH_HANT: "由這部裝置上的另一個應用程式開啟。",
            Language.JA: "この端末の別のアプリから開かれました。",
            Language.EN: "it was opened from another app on this device.",
        },
        StatementDoor.REDIRECT_QR: {
            Language.ZH_HANT: "您用這部裝置掃描了識別頁面上的 QR 碼。",
            Language.JA: "この端末で、本人確認ページの QR コードを読み取りました。",
            Language.EN: "you scanned the QR code of the identification page with this device.",
        },
        StatementDoor.REDIRECT_PUSH: {
            Language.ZH_HANT: "由識別頁面傳送到這部裝置。",
            Language.JA: "本人確認ページから、この端末に届きました。",
            Language.EN: "it was sent to this device from the identification page.",
        },
        StatementDoor.REDIRECT_OPEN: {
            Language.ZH_HANT: "由這部裝置瀏覽器中的識別頁面開啟。",
            Language.JA: "この端末のブラウザーの本人確認ページから開かれました。",
            Language.EN: "it was opened from the identification page in the browser of this device.",
        },
    }
)


def render(
    template: Template,
    lang: Language,
    *,
    relying_party: str,
    domain: str,
    purpose_text: str,
    door: StatementDoor,
    contents: Sequence[Content] = (),
    claims: Sequence[str] = (),
    full_evidence: bool,
) -> str:
    """Return the text of one approval: plain, lines ended by LF except the last one.

    Args:
        template: the wording; it belongs to one kind of session.
        lang: the language of the person.
        relying_party: the registered name of the organisation.
        domain: its registered domain.
        purpose_text: the registered purpose in this language, one line of at most 2000 characters.
        door: where the request was started.
        contents: what is approved or signed, in the order of the statement.
        claims: codes of the attributes that are given besides, in the order of the statement.
        full_evidence: whether the relying party gets statement and certificate, hence the name.

    Raises:
        UnsafeText: a text with line breaks, bidi or invisible characters; it could draw lines of its own.
        ShownImpossible: contents in an identification, a signature without contents or without full
            evidence (a signature always shows its signer's certificate), too many claims, or one that has
            no name (:mod:`inkan.wire.claims`).
    """
    _verify_honest(template, contents=contents, claims=claims, full_evidence=full_evidence)
    labels, wording = LABELS[lang], WORDINGS[template][lang]
    bare = labels.pseudonym_and_claims if claims else labels.pseudonym
    given = labels.name_and_certificate if full_evidence else bare
    facts = [
        (labels.asker, verify_line(relying_party, where="/relying_party/name")),
        (labels.domain, verify_line(domain, where="/relying_party/domain", limit=253)),
        (labels.purpose, verify_line(purpose_text, where="/purpose", limit=TEXT_LIMIT)),
        (labels.given, given),
    ]
    if claims:
        facts.append((labels.claims, labels.separator.join(_claim_names(claims, lang))))
    facts.append((labels.started, STARTED[door][lang]))
    lines = [wording.heading, "", *(f"{name}{labels.colon}{value}" for name, value in facts), ""]
    if contents:
        lines += [*_content_lines(wording.contents, labels, contents), ""]
    return "\n".join([*lines, wording.effect, labels.closing])


def text_sha256(text: str) -> str:
    """Return SHA-256 over the UTF-8 bytes of a shown text, base64url."""
    return base64url.encode(hashlib.sha256(text.encode()).digest())


def _verify_honest(
    template: Template, *, contents: Sequence[Content], claims: Sequence[str], full_evidence: bool
) -> None:
    kind = TEMPLATE_KIND[template]
    if kind == Kind.IDENTIFY and contents:
        raise ShownImpossible(where="/contents", expected="no content in an identification")
    if kind == Kind.SIGN and not (contents and full_evidence):
        raise ShownImpossible(where="/contents", expected="contents and full evidence to sign")
    if len(claims) > CLAIMS_LIMIT:
        raise ShownImpossible(where="/claims", expected=f"at most {CLAIMS_LIMIT} claims")


def _claim_names(claims: Sequence[str], lang: Language) -> list[str]:
    names = claim_names()
    try:
        return [names[Claim(claim)][lang] for claim in claims]
    except ValueError:
        raise ShownImpossible(where="/claims", expected="registered claims only") from None


def _content_lines(heading: str, labels: Labels, contents: Sequence[Content]) -> list[str]:
    lines = [f"{heading}{labels.colon}{len(contents)}"]
    for number, content in enumerate(contents, start=1):
        name = verify_line(content.name, where=f"/contents/{number - 1}/name")
        lines += [f"{number}. {name}", f"   {content.alg.upper()} {fingerprint(content.digest)}"]
    return lines


def fingerprint(digest: str) -> str:
    """Return the first 8 bytes of a base64url digest as people compare them: ``9f86 d081 884c 7d65``."""
    return base64url.decode(digest)[:_FINGERPRINT_BYTES].hex(" ", 2)
