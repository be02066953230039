"""The tables that a wallet in a browser needs, as one JSON object: so that no text and no form is written twice.

The phone renders the shown text again and checks drafts and contents itself (:mod:`inkan.wire.shown`,
:mod:`inkan.wire.statement`); it takes wordings, names and forms from here, with the rest of the wallet's files.
"""

from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Final, get_args, get_origin

from inkan.wire import forms
from inkan.wire.claims import claim_names
from inkan.wire.contents import DIGEST_CHARACTERS
from inkan.wire.shown import LABELS, STARTED, TEMPLATE_KIND, WORDINGS

# The forms that drafts and enrolment contents are made of, by the names that the wallet's modules use.
_FORMS: Final = MappingProxyType(
    {
        "identifier": forms.Identifier,
        "code": forms.Code,
        "name": forms.Name,
        "phone_name": forms.PhoneName,
        "text": forms.Text,
        "domain": forms.Domain,
        "origin": forms.Origin,
        "issuer": forms.Issuer,
        "moment": forms.Moment,
        "bytes32": forms.Bytes32,
        "challenge": forms.Challenge,
        "digest": forms.Digest,
    }
)


@cache
def wallet_tables() -> dict[str, Any]:
    """Labels, wordings, doors, claims, forms and limits; JSON members, the same object every time (do not change it).

    Patterns are those of :mod:`inkan.wire.forms` in the spelling of ECMAScript with the flag ``u``; ``min`` and
    ``max`` count code points.
    """
    return {
        "labels": {str(lang): labels._asdict() for lang, labels in LABELS.items()},
        "wordings": {
            str(template): {str(lang): wording._asdict() for lang, wording in by_lang.items()}
            for template, by_lang in WORDINGS.items()
        },
        "started": _plain(STARTED),
        "claims": _plain(claim_names()),
        "kinds": {str(template): str(kind) for template, kind in TEMPLATE_KIND.items()},
        "forms": {name: _form(form) for name, form in _FORMS.items()},
        "digests": {str(algorithm): size for algorithm, size in DIGEST_CHARACTERS.items()},
        "limits": {"claims": forms.CLAIMS_LIMIT, "contents": forms.CONTENTS_LIMIT},
    }


def _plain(table: Any) -> dict[str, dict[str, str]]:
    return {
        str(code): {str(lang): text for lang, text in by_lang.items()}
        for code, by_lang in table.items()
    }


def _form(form: Any) -> dict[str, Any]:
    if get_origin(form) is not Annotated:
        raise TypeError("a form is an annotated type")
    meta = get_args(form)[1]
    # Python's end of the text, which ECMAScript writes as $ where the flag m is absent.
    pattern = meta.pattern.removesuffix(r"\Z") + "$"
    limits = {"min": meta.min_length, "max": meta.max_length}
    return {"pattern": pattern} | {name: n for name, n in limits.items() if n is not None}
