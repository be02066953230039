"""The settings about counters (docs/counter-papers.md)."""

import msgspec


class CounterSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an instance with counters needs.

    ``paper_font`` is the font of printed papers: a TrueType or OpenType file, or a collection with the faces JP and TC.
    The default is where Debian's package fonts-noto-cjk puts it.
    """

    paper_font: str = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
