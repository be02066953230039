"""The texts of the agent's dialog in three languages. Tables only; the agent has no catalogue of the platform."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from inkan.client.card import Giving
from inkan.client.card_agent.dialog import Question
from inkan.client.guessable_pins import Guess
from inkan.client.piv_layout import KeyUse
from inkan.wire.shown import Language


class Word(StrEnum):
    """What the dialog says besides what it shows."""

    TITLE = "title"
    OK = "ok"
    CANCEL = "cancel"
    NEXT = "next"
    PAGE = "page"
    ASKS = "asks"
    CHANGE = "change"
    FOR = "for"
    PHONE = "phone"
    SCHEME = "scheme"
    PHOTO = "photo"
    TRIES = "tries"
    LAST_TRY = "last_try"
    DIGITS = "digits"
    DIGITS_PROMPT = "digits_prompt"
    PIN = "pin"
    NEW_PIN = "new_pin"
    AGAIN = "again"
    DIFFERENT = "different"
    GUESSABLE = "guessable"


_EN, _JA, _ZH = Language.EN, Language.JA, Language.ZH_HANT

WORDS: Final[Mapping[Word, Mapping[Language, str]]] = {
    Word.TITLE: {_EN: "Card program", _JA: "カードプログラム", _ZH: "卡片程式"},
    Word.OK: {_EN: "OK", _JA: "OK", _ZH: "確定"},
    Word.CANCEL: {_EN: "Cancel", _JA: "キャンセル", _ZH: "取消"},
    Word.NEXT: {_EN: "Next", _JA: "次へ", _ZH: "下一頁"},
    Word.PAGE: {
        _EN: "Page {at} of {of}",
        _JA: "{of}ページ中{at}ページ",
        _ZH: "第 {at} 頁，共 {of} 頁",
    },
    Word.ASKS: {
        _EN: "This web site asks for your card: {origin}",
        _JA: "次のウェブサイトがカードの使用を求めています：{origin}",
        _ZH: "下列網站要求使用您的卡片：{origin}",
    },
    Word.CHANGE: {
        _EN: "You are about to change the PIN of your card.",
        _JA: "カードの暗証番号を変更します。",
        _ZH: "即將變更卡片的密碼(PIN)。",
    },
    Word.FOR: {_EN: "For", _JA: "宛先", _ZH: "對象"},
    Word.PHONE: {_EN: "Phone", _JA: "端末", _ZH: "手機"},
    Word.SCHEME: {_EN: "Scheme", _JA: "制度", _ZH: "制度"},
    Word.PHOTO: {
        _EN: "The photo in your card is read here. The web site gets its SHA-256, not the photo.",
        _JA: "カード内の顔写真をこの端末で読み取ります。ウェブサイトに渡るのはSHA-256の値だけで、写真は渡りません。",
        _ZH: "本機會讀取卡片內的照片；網站只取得照片的 SHA-256 值，不會取得照片。",
    },
    Word.TRIES: {
        _EN: "{tries} tries are left.",
        _JA: "残り{tries}回入力できます。",
        _ZH: "還可以輸入 {tries} 次。",
    },
    Word.LAST_TRY: {
        _EN: "This is the last try: another wrong PIN locks the card.",
        _JA: "最後の1回です。間違えるとカードがロックされます。",
        _ZH: "這是最後一次機會，再輸入錯誤，卡片即鎖定。",
    },
    Word.DIGITS: {
        _EN: "Type the 8 digits that your phone shows.",
        _JA: "スマートフォンに表示されている8桁の数字を入力してください。",
        _ZH: "請輸入手機上顯示的 8 位數字。",
    },
    Word.DIGITS_PROMPT: {_EN: "Digits:", _JA: "数字：", _ZH: "數字："},
    Word.PIN: {_EN: "PIN:", _JA: "暗証番号：", _ZH: "密碼(PIN)："},
    Word.NEW_PIN: {_EN: "New PIN:", _JA: "新しい暗証番号：", _ZH: "新密碼(PIN)："},
    Word.AGAIN: {
        _EN: "New PIN again:",
        _JA: "新しい暗証番号（確認）：",
        _ZH: "再次輸入新密碼(PIN)：",
    },
    Word.DIFFERENT: {
        _EN: "The two new PINs differ.",
        _JA: "新しい暗証番号が一致しません。",
        _ZH: "兩次輸入的新密碼不同。",
    },
    Word.GUESSABLE: {
        _EN: "This PIN is easy to guess: {reason}. Choose another one.",
        _JA: "この暗証番号は推測されやすいため使用できません（{reason}）。別の番号にしてください。",
        _ZH: "這組密碼容易被猜到（{reason}），請改用其他密碼。",
    },
}

PIN_FORMS: Final[Mapping[KeyUse, Mapping[Language, str]]] = {
    KeyUse.SIGNATURE: {
        _EN: "Type the PIN of the signature key: 6 to 16 letters and digits.",
        _JA: "署名用の暗証番号（英数字6〜16文字）を入力してください。",
        _ZH: "請輸入簽章用密碼(PIN)（6 至 16 個英文字母或數字）。",
    },
    KeyUse.AUTHENTICATION: {
        _EN: "Type the PIN of the authentication key: 4 digits.",
        _JA: "利用者証明用の暗証番号（数字4桁）を入力してください。",
        _ZH: "請輸入身分鑑別用密碼(PIN)（4 位數字）。",
    },
}
"""What is asked for, by the key."""

GUESSES: Final[Mapping[Guess, Mapping[Language, str]]] = {
    Guess.REPEATED: {
        _EN: "it repeats the same characters",
        _JA: "同じ文字の繰り返し",
        _ZH: "重複的字元",
    },
    Guess.RUN: {_EN: "its characters are in order", _JA: "連続した文字", _ZH: "連續的字元"},
    Guess.KEYBOARD: {
        _EN: "it follows the keys of a keyboard",
        _JA: "キーの並び順",
        _ZH: "按照鍵盤順序排列",
    },
    Guess.FREQUENT: {
        _EN: "many people use it",
        _JA: "多くの人が使う番号",
        _ZH: "許多人使用的密碼",
    },
    Guess.BIRTH_DATE: {
        _EN: "it holds your date of birth",
        _JA: "生年月日を含む",
        _ZH: "含有您的出生日期",
    },
    Guess.NUMBER: {
        _EN: "it is part of a telephone number or of the card's number",
        _JA: "電話番号またはカード番号の一部",
        _ZH: "含有電話號碼或卡片號碼",
    },
}
"""Why a new PIN is not taken, by kind."""

PURPOSES: Final[Mapping[str, Mapping[Language, str]]] = {
    "bind": {
        _EN: "You sign: this phone may identify you and sign for you.",
        _JA: "署名内容：このスマートフォンで本人確認と署名ができるようにします。",
        _ZH: "簽署內容：允許這支手機代表您表明身分及簽章。",
    },
    "revoke": {
        _EN: "You sign: phones named in the request may no longer identify you.",
        _JA: "署名内容：指定された端末の登録を失効させます。",
        _ZH: "簽署內容：廢止申請中所列手機的綁定。",
    },
    "card_login": {
        _EN: "You prove who you are: a login.",
        _JA: "内容：本人であることを証明し、ログインします。",
        _ZH: "內容：證明您的身分並登入。",
    },
    "card_revoke": {
        _EN: "You sign: the certificates of this card end for good.",
        _JA: "署名内容：このカードの証明書を失効させます。元に戻せません。",
        _ZH: "簽署內容：廢止這張卡片的憑證，無法復原。",
    },
    "submission": {
        _EN: "You sign this form and send it in your name:",
        _JA: "署名内容：次の申請書をあなたの名前で提出します。",
        _ZH: "簽署內容：以您的名義送出下列申請書：",
    },
}
"""What the signature does, by the purpose of the content."""

LABELS: Final[Mapping[str, Mapping[Language, str]]] = {
    "cause": {_EN: "Cause", _JA: "事由", _ZH: "事由"},
    "form": {_EN: "Form", _JA: "申請書", _ZH: "申請書"},
}
"""Labels of the lines that the card's reading adds; others are the form's own."""

CAUSES: Final[Mapping[str, Mapping[Language, str]]] = {
    "no_longer_needed": {_EN: "no longer needed", _JA: "不要になった", _ZH: "不再需要"},
    "lost": {_EN: "lost", _JA: "紛失", _ZH: "遺失"},
    "stolen": {_EN: "stolen", _JA: "盗難", _ZH: "遭竊"},
    "damaged": {_EN: "damaged", _JA: "破損", _ZH: "損壞"},
    "misused": {_EN: "misused", _JA: "悪用された", _ZH: "遭冒用"},
    "suspected_misuse": {_EN: "suspected misuse", _JA: "悪用されたおそれ", _ZH: "疑似遭冒用"},
}
"""Why certificates end, by code."""


def describe(question: Question, language: Language) -> list[str]:
    """The lines that the person reads before the PIN: who asks, what for, and everything that is given."""
    asks = WORDS[Word.ASKS][language].format(origin=question.origin)
    giving = question.giving
    if giving is None:
        return [asks, "", WORDS[Word.CHANGE][language]]
    purpose = PURPOSES.get(giving.purpose, {}).get(language, giving.purpose)
    photo = [WORDS[Word.PHOTO][language]] if question.photo else []
    return [asks, "", purpose, *_facts(giving, language), *photo]


def refused(guess: Guess, language: Language) -> str:
    """Why a new PIN is not taken, and what to do."""
    reason = GUESSES[guess][language]
    return WORDS[Word.GUESSABLE][language].format(reason=reason)


def _facts(giving: Giving, language: Language) -> list[str]:
    named = (
        (Word.PHONE, giving.phone_name),
        (Word.SCHEME, giving.scheme),
        (Word.FOR, giving.audience),
    )
    lines = [f"{WORDS[word][language]}: {value}" for word, value in named if value]
    for label, value in giving.lines:
        shown = CAUSES.get(value, {}).get(language, value) if label == "cause" else value
        lines.append(f"{LABELS.get(label, {}).get(language, label)}: {shown}")
    return lines


def tries(question: Question, language: Language) -> str:
    """How many tries are left, in words."""
    word = Word.LAST_TRY if question.tries_left == 1 else Word.TRIES
    return WORDS[word][language].format(tries=question.tries_left)
