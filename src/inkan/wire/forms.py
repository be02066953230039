"""The primitive forms that the wire formats are made of, each as one annotated type.

A form accepts exactly one spelling of a value and is capped in length, so that a parsed document holds
nothing that a reader has to check again. The same forms stand in ``schemas/common.json``; a test keeps the
two equal. Characters that are invisible or change the direction of writing are refused in everything that
people read (threat 22): a name must not look like another one.
"""

import re
from datetime import datetime
from typing import Annotated, Final, NamedTuple

from msgspec import Meta

from inkan.kernel.errors import Malformed

NAME_LIMIT: Final = 200
TEXT_LIMIT: Final = 2000
PHONE_NAME_LIMIT: Final = 64
CONTENTS_LIMIT: Final = 100
CLAIMS_LIMIT: Final = 32

# First and last code point of each range that no displayed text may hold.
UNSAFE_RANGES: Final = (
    (0x0000, 0x001F),  # C0 controls, line breaks among them: a value never starts a line of its own
    (0x007F, 0x009F),  # DEL and C1 controls
    (0x00AD, 0x00AD),  # soft hyphen
    (0x034F, 0x034F),  # combining grapheme joiner
    (0x061C, 0x061C),  # Arabic letter mark (bidi)
    (0x115F, 0x1160),  # Hangul fillers: letters without ink
    (0x17B4, 0x17B5),  # Khmer inherent vowels: letters without ink
    (0x180B, 0x180F),  # Mongolian selectors and vowel separator
    (0x200B, 0x200F),  # zero-width space and joiners, left-to-right and right-to-left marks
    (0x2028, 0x202E),  # line and paragraph separators, bidi embeddings and overrides
    (0x2060, 0x206F),  # word joiner, invisible operators, bidi isolates
    (0x3164, 0x3164),  # Hangul filler
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFA0, 0xFFA0),  # half-width Hangul filler
    (0xFFF9, 0xFFFB),  # interlinear annotation
    (0xFFFE, 0xFFFF),  # noncharacters
    (0x1BCA0, 0x1BCA3),  # shorthand format controls
    (0x1D173, 0x1D17A),  # musical format controls
    (0xE0000, 0xE007F),  # tags: a hidden second text
)


def _in_class(code_point: int) -> str:
    """A code point inside a character class, in a spelling that Python and ECMAScript share."""
    return f"\\u{code_point:04x}" if code_point <= 0xFFFF else chr(code_point)


UNSAFE_CLASS: Final = "".join(f"{_in_class(low)}-{_in_class(high)}" for low, high in UNSAFE_RANGES)

_B64 = "[A-Za-z0-9_-]"
_TAIL_1 = "[AQgw]"  # last letter of a text whose length is 4n + 2: four unused bits are zero
_TAIL_2 = "[AEIMQUYcgkosw048]"  # and of 4n + 3: two unused bits are zero (RFC 4648 §3.5)
_BASE64URL = f"(?:{_B64}{{4}})*(?:{_B64}{_TAIL_1}|{_B64}{{2}}{_TAIL_2})?"
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_HTTPS = rf"https://{_DOMAIN}(?::(?!443(?![0-9]))[1-9][0-9]{{0,4}})?"
_HTTP = rf"http://(?:(?:{_LABEL}\.)*localhost|127\.0\.0\.1)(?::(?!80(?![0-9]))[1-9][0-9]{{0,4}})?"
_ORIGIN = f"(?:{_HTTPS}|{_HTTP})"
_SAFE = f"[^{UNSAFE_CLASS}]"
_LINE = rf"[^\s{UNSAFE_CLASS}]{_SAFE}*"
_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_MOMENT = f"[0-9]{{4}}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T{_TIME}Z"


def _whole(pattern: str) -> str:
    r"""Anchor a pattern at both ends; ``\Z``, because ``$`` admits a trailing line break in Python."""
    return rf"^{pattern}\Z"


# An id of the platform or a name of the same shape that another system gave.
Identifier = Annotated[str, Meta(pattern=_whole("[A-Za-z0-9][A-Za-z0-9._-]{0,63}"))]
# A registered code: purpose, scheme, claim, scope.
Code = Annotated[str, Meta(pattern=_whole("[a-z][a-z0-9_.-]{0,63}"))]
# A pairwise person reference (the `sub` of OpenID Connect).
Reference = Annotated[str, Meta(pattern=_whole("[A-Za-z0-9._~-]{1,255}"))]
# One line that people read; it begins with ink.
Name = Annotated[str, Meta(max_length=NAME_LIMIT, pattern=_whole(_LINE))]
PhoneName = Annotated[str, Meta(max_length=PHONE_NAME_LIMIT, pattern=_whole(_LINE))]
# A phone's name that may be left out.
MaybePhoneName = Annotated[str, Meta(max_length=PHONE_NAME_LIMIT, pattern=_whole(f"(?:{_LINE})?"))]
Text = Annotated[str, Meta(max_length=TEXT_LIMIT, pattern=_whole(_LINE))]
# A host name in lower case; an international name in its A-label form, where no look-alike hides.
Domain = Annotated[str, Meta(max_length=253, pattern=_whole(_DOMAIN))]
# A web origin as browsers serialise it; http for loopback only.
Origin = Annotated[str, Meta(max_length=300, pattern=_whole(_ORIGIN))]
# An origin, perhaps with a path (OpenID issuer).
Issuer = Annotated[str, Meta(max_length=300, pattern=_whole(rf"{_ORIGIN}(?:/[A-Za-z0-9._~-]+)*"))]
# RFC 3339 in UTC with whole seconds: 2026-11-21T22:55:04Z.
Moment = Annotated[str, Meta(pattern=_whole(_MOMENT))]
# An id in an audit event: it starts with a lower-case letter, so that no name, national ID or number has this form.
OpaqueID = Annotated[str, Meta(pattern=_whole("[a-z][a-z0-9_.:/-]{0,95}"))]
# What was done: feature.use_case.
UseCase = Annotated[str, Meta(max_length=128, pattern=_whole(r"[a-z][a-z_]*\.[a-z][a-z_]*"))]
# 16 bytes: the salt of an audit event.
Bytes16 = Annotated[str, Meta(pattern=_whole(f"{_B64}{{21}}{_TAIL_1}"))]
# 32 bytes: a SHA-256 value, a nonce, a salt.
Bytes32 = Annotated[str, Meta(pattern=_whole(f"{_B64}{{42}}{_TAIL_2}"))]
# 32 to 64 bytes that a relying party made.
Challenge = Annotated[str, Meta(min_length=43, max_length=86, pattern=_whole(_BASE64URL))]
# A hash of 32 to 64 bytes; the algorithm beside it says which length is right.
Digest = Annotated[str, Meta(min_length=43, max_length=86, pattern=_whole(_BASE64URL))]
# At least one byte, at most 64 KiB: a certificate, an assertion's parts, a COSE key.
Blob = Annotated[str, Meta(min_length=2, max_length=87_382, pattern=_whole(_BASE64URL))]

_NAME = re.compile(_whole(_LINE))
_MOMENT_FORM = re.compile(_whole(_MOMENT))


class UnsafeText(Malformed):
    """A text for people is empty, too long, or holds characters that nobody can see."""

    code = "unsafe_text"
    title = "A text holds characters that cannot be shown"


class MomentMalformed(Malformed):
    """Not a time of the form ``2026-11-21T22:55:04Z``, or not a real one."""

    code = "moment_malformed"
    title = "A time is not in the form 2026-11-21T22:55:04Z"


class Flaw(NamedTuple):
    """What a rule that spans several members found: a JSON pointer (RFC 6901) and what was expected."""

    where: str
    expected: str


def verify_line(text: str, *, where: str = "", limit: int = NAME_LIMIT) -> str:
    """Return ``text`` if it is one visible line of at most ``limit`` characters.

    For texts that reach a format later: registered names, purposes, file names (threat 22).

    Raises:
        UnsafeText: empty, too long, or with a control, bidi or invisible character.
    """
    if len(text) > limit or _NAME.match(text) is None:
        expected = f"one visible line of at most {limit} characters"
        raise UnsafeText(where=where, expected=expected)
    return text


def is_moment(text: str) -> bool:
    """Whether a text that has the form of a :data:`Moment` names a day that exists."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def parse_moment(text: str) -> datetime:
    """Return the aware UTC datetime that a :data:`Moment` names.

    Raises:
        MomentMalformed: another form (offsets, fractions), or no real time (30 February).
    """
    if _MOMENT_FORM.match(text) is None or not is_moment(text):
        raise MomentMalformed("expected RFC 3339 in UTC with whole seconds")
    return datetime.fromisoformat(text)
