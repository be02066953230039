"""The texts of the manage program's dialog in three languages, beside those of the agent's."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from inkan.wire.shown import Language

_EN, _JA, _ZH = Language.EN, Language.JA, Language.ZH_HANT


class Asking(StrEnum):
    """What the person is asked to do."""

    SET = "set"
    TYPE = "type"


ASKING: Final[Mapping[Asking, Mapping[Language, str]]] = {
    Asking.SET: {
        _EN: "Counter of {origin}, card {card}: set a new PIN. Nobody else must see it.",
        _JA: "{origin} の窓口、カード {card}：新しい暗証番号を設定してください。他の人に見せないでください。",
        _ZH: "{origin} 的窗口，卡片 {card}：請設定新密碼(PIN)，請勿讓他人看見。",
    },
    Asking.TYPE: {
        _EN: "Counter of {origin}, card {card}: type the PIN that you set just now.",
        _JA: "{origin} の窓口、カード {card}：先ほど設定した暗証番号を入力してください。",
        _ZH: "{origin} 的窗口，卡片 {card}：請輸入剛才設定的密碼(PIN)。",
    },
}
