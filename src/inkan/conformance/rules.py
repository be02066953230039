"""The attacks of the kit as one table, and what a test endpoint offers. Numbers are those of the threat model."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from inkan.conformance.model import Item

KIT_VERSION: Final = "1.0"
"""Stands in every report; rises when an attack is added or asks for more."""

ABOUT: Final = "/about"
START: Final = "/start"
PAGE: Final = "/page"
FRAME: Final = "/frame"
WHO: Final = "/who"
PATHS: Final = (ABOUT, START, PAGE, FRAME, WHO)
"""Below the address of the test endpoint; all are read by GET."""

ANSWER_LIMIT: Final = 512 * 1024
PATIENCE_S: Final = 10.0
"""How long a relying party may take to say how a browser stands."""
ASK_EVERY_S: Final = 0.05
FRAME_AFTER_S: Final = 2.0
"""A code that is this much older shows another second, if it is drawn anew."""


class Row(NamedTuple):
    """One attack.

    Attributes:
        zh_hant, ja, en: its title.
        threats: numbers of the threat model.
        refusal: what the relying party has to do.
    """

    zh_hant: str
    ja: str
    en: str
    threats: tuple[int, ...]
    refusal: str

    def title(self, lang: str) -> str:
        """The title in ``zh-Hant``, ``ja`` or ``en``."""
        return {"zh-Hant": self.zh_hant, "ja": self.ja}.get(lang, self.en)


ROWS: Final[Mapping[Item, Row]] = MappingProxyType(
    {
        Item.REPLAYED_RETURN_CODE: Row(
            "重複使用返回碼",
            "戻りコードの再使用",
            "A return code is used again",
            (3, 10),
            "A second browser that opens the address of a finished return is not logged in.",
        ),
        Item.SWAPPED_CALLBACK: Row(
            "返回位址調換",
            "戻り先のすり替え",
            "A return is delivered to another browser",
            (3, 17),
            "A return is finished with the verifier of the browser that began it, and in no other one.",
        ),
        Item.SESSION_FIXATION: Row(
            "攻擊者開始、受害者完成",
            "攻撃者が始め、被害者が終える",
            "The attacker begins, the victim finishes",
            (1, 3, 26),
            "A return in a browser that began nothing logs nobody in, there or elsewhere.",
        ),
        Item.FIXED_COOKIE: Row(
            "預先植入的 Cookie",
            "仕込まれたクッキー",
            "A cookie is planted before the login",
            (26,),
            "A login gets a new cookie; who knew the old one is not logged in.",
        ),
        Item.STALE_FRAME: Row(
            "過期的 QR 畫面",
            "古いQRコード",
            "The QR code stands still, or its secret is in the page",
            (1,),
            "The back end draws a new frame each second; the secret never reaches a browser.",
        ),
        Item.WRONG_PERSON: Row(
            "他人代答",
            "別人による応答",
            "Somebody else than the expected person answers",
            (15,),
            "An answer of another person than the expected one logs nobody in.",
        ),
        Item.FORGED_RECEIPT: Row(
            "偽造的驗證憑據",
            "偽造された結果証明書",
            "A forged receipt",
            (13, 18),
            "The receipt's signature and its path to the configured root are verified.",
        ),
        Item.EXPIRED_SIGNER: Row(
            "簽發憑證已過期",
            "署名者証明書の期限切れ",
            "A receipt whose signer's certificate had ended",
            (12, 18),
            "The signer's certificate has to be in its term when the receipt is released.",
        ),
        Item.WRONG_SIGNER: Row(
            "簽發者用途不符",
            "署名者の用途違い",
            "A receipt signed by a certificate for something else",
            (18,),
            "The signer's certificate has to be one for receipts, whatever root it leads to.",
        ),
        Item.REVOKED_CERTIFICATE: Row(
            "憑證已廢止",
            "失効した証明書",
            "The person's certificate was revoked in between",
            (12,),
            "A reading whose certificate is not valid any more logs nobody in.",
        ),
        Item.SWAPPED_RECEIPT: Row(
            "別件的驗證憑據",
            "別件の結果証明書",
            "A genuine receipt for something else",
            (10, 18),
            "Session, challenge, relying party and issuer of a receipt are the expected ones.",
        ),
        Item.CONTRADICTING_VIEW: Row(
            "查詢結果與憑據不符",
            "照会結果と証明書の矛盾",
            "The reading says something else than the receipt",
            (18,),
            "What is signed counts; a contradiction is a refusal.",
        ),
        Item.ALG_CONFUSION: Row(
            "簽章演算法混淆",
            "署名アルゴリズムの混同",
            "The token chooses its algorithm or key",
            (18,),
            "Only ES256 under the certificate in x5c; none, HS256, RS256 and keys in the header are refused.",
        ),
        Item.LOW_LEVEL: Row(
            "連結強度不足",
            "結び付きの強さの不足",
            "A lower binding level than was demanded",
            (1, 2),
            "The binding level in the receipt is compared with the demanded one.",
        ),
        Item.UNKNOWN_ANSWER: Row(
            "無法辨識的狀態",
            "未知の状態",
            "A state, outcome or reason that nobody knows",
            (10,),
            "What is not understood is no success.",
        ),
        Item.CANCELLED_SESSION: Row(
            "已取消的作業",
            "取り消された作業",
            "A cancelled or expired session",
            (11,),
            "Only a closed session is a success, whatever else the reading says.",
        ),
        Item.WEBHOOK_FORGERY: Row(
            "偽造的事件通知",
            "偽造された通知",
            "A forged webhook",
            (4, 18),
            "Without the platform's signature over this address and body a webhook is answered by 4xx.",
        ),
        Item.WEBHOOK_REPLAY: Row(
            "重送的事件通知",
            "再送された通知",
            "A webhook is sent again, or too late",
            (10, 30),
            "A nonce counts once, and only within its 300 seconds; else the answer is 4xx.",
        ),
    }
)
