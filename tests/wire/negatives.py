"""Documents that must be refused, with the code and the place that the refusal names: written by hand.

A row is (what is wrong, members to replace, JSON pointer). ``...`` leaves a member out. The names in
``BEYOND_SCHEMA`` are of rules that a JSON Schema cannot state.
"""

from typing import Any

import msgspec

from inkan.crypto import base64url
from wire import samples

Row = dict[str, Any]
Change = tuple[str, dict[str, Any], str]

BEYOND_SCHEMA = {
    "a line break at the end",
    "a space after a colon",
    "an escape that need not be",
    "a name twice",
    "another order",
    "30 February",
    "two contents with one id",
    "one key twice",
    "evidence out of order",
    "released before decided",
    "an index outside its tree",
    "an attack twice",
    "passed although an attack succeeded",
    "failed although no attack succeeded",
    "2^32 seconds",
    "another host",
    "the port that https has anyway",
    "the path of an enrolment",
}


def changed(document: msgspec.Struct, **changes: Any) -> str:
    """The sorted text of a document with members replaced by any JSON; ``...`` leaves one out."""
    members = msgspec.to_builtins(document) | changes
    kept = {name: value for name, value in members.items() if value is not ...}
    return msgspec.json.encode(kept, order="sorted").decode()


def negative(name: str, text: str | bytes, error: str, where: str | None = None) -> Row:
    """One text that a parser refuses; bytes where it is not UTF-8."""
    body = {"utf8": text} if isinstance(text, str) else {"base64url": base64url.encode(text)}
    schema = name not in BEYOND_SCHEMA
    return {"name": name, **body, "error": error, "where": where, "schema": schema}


def refused(document: msgspec.Struct, error: str, rows: list[Change]) -> list[Row]:
    return [negative(name, changed(document, **change), error, at) for name, change, at in rows]


def spellings(document: msgspec.Struct) -> list[Row]:
    """The same document in spellings that are not canonical."""
    good = changed(document)
    texts = {
        "a line break at the end": good + "\n",
        "a space after a colon": good.replace('":', '": ', 1),
        "an escape that need not be": good.replace('"v":', '"\\u0076":'),
        "a name twice": good.replace('"v":1', '"v":1,"v":1'),
        "another order": '{"v":1,' + good.replace(',"v":1', "")[1:],
    }
    return [negative(name, text, "json_not_canonical") for name, text in texts.items()]


def no_documents(error: str) -> list[Row]:
    texts = {
        "no bytes": "",
        "an array": "[]",
        "not UTF-8": b'{"v":1,"iss":"\xff"}',
        "a lone surrogate": '{"v":1,"iss":"\\ud800"}',
        "a byte order mark": "\ufeff{}",
    }
    return [negative(name, text, error, "") for name, text in texts.items()]


_PARTY = msgspec.to_builtins(samples.TAX_OFFICE)
_SHOWN = msgspec.to_builtins(samples.draft().shown)
_CONTENT = msgspec.to_builtins(samples.content())
_SIGNS = {"kind": "sign", "shown": _SHOWN | {"template": "sign.v1"}, "contents": [_CONTENT]}
_KEYS = msgspec.to_builtins(samples.keys())
_INCLUSION = msgspec.to_builtins(samples.bundle().inclusion)


def _without_event() -> dict[str, Any]:
    return {name: value for name, value in _INCLUSION.items() if name != "event"}


def _party(name: str) -> dict[str, Any]:
    return {"relying_party": _PARTY | {"name": name}}


def _signs(**changes: Any) -> dict[str, Any]:
    return _SIGNS | {"contents": [_CONTENT | changes]}


STATEMENT: list[Change] = [
    ("version 2", {"v": 2}, "/v"),
    ("a number as text", {"v": "1"}, "/v"),
    ("return_origin left out", {"return_origin": ...}, ""),
    ("phone_nonce left out", {"phone_nonce": ...}, ""),
    ("an unknown member", {"zzz": 1}, ""),
    ("a refusal", {"decision": "refuse"}, "/decision"),
    ("redirect without its way", {"door": "redirect"}, "/door"),
    ("a nonce of 31 bytes", {"phone_nonce": samples.b64("n", 31)}, "/phone_nonce"),
    ("a nonce with padding", {"phone_nonce": samples.b64("n") + "="}, "/phone_nonce"),
    ("unused bits in a nonce", {"phone_nonce": "A" * 42 + "B"}, "/phone_nonce"),
    ("a challenge of 31 bytes", {"challenge": samples.b64("c", 31)}, "/challenge"),
    ("a challenge of 65 bytes", {"challenge": samples.b64("c", 65)}, "/challenge"),
    ("a time with an offset", {"at": "2026-11-21T22:55:04+00:00"}, "/at"),
    ("30 February", {"at": "2026-02-30T00:00:00Z"}, "/at"),
    ("a line break in a name", _party("國稅局\n用途"), "/relying_party/name"),
    ("a bidi override in a name", _party("國稅局\u202e"), "/relying_party/name"),
    ("a zero-width space in a name", _party("國\u200b稅局"), "/relying_party/name"),
    ("a name of 201 characters", _party("稅" * 201), "/relying_party/name"),
    ("a name of blanks", _party("\u3000"), "/relying_party/name"),
    (
        "a domain in capitals",
        {"relying_party": _PARTY | {"domain": "TAX.tw"}},
        "/relying_party/domain",
    ),
    ("a purpose of 65 letters", {"purpose": "p" * 65}, "/purpose"),
    ("a claim twice", {"claims": ["name", "name"]}, "/claims"),
    ("33 claims", {"claims": [f"c{n}" for n in range(33)]}, "/claims"),
    ("a template of another kind", {"shown": _SIGNS["shown"]}, "/shown/template"),
    ("contents in an identification", {"contents": [_CONTENT]}, "/contents"),
    ("a signature without contents", _SIGNS | {"contents": []}, "/contents"),
    ("two contents with one id", _SIGNS | {"contents": [_CONTENT] * 2}, "/contents"),
    ("a digest of another length", _signs(alg="sha-512"), "/contents/0/digest"),
    ("an unknown digest algorithm", _signs(alg="md5"), "/contents/0/alg"),
    ("a raw signature", _signs(format="raw"), "/contents/0/format"),
    ("PDF without its signed attributes", _signs(tbs_sha256=None), "/contents/0/tbs_sha256"),
    ("http outside loopback", {"return_origin": "http://tax.example.gov.tw"}, "/return_origin"),
    ("a path in an origin", {"return_origin": "https://tax.example.gov.tw/"}, "/return_origin"),
]

BIND: list[Change] = [
    ("another purpose", {"purpose": "renew"}, "/purpose"),
    ("no keys", {"keys": []}, "/keys"),
    ("keys in another order", {"keys": _KEYS[::-1]}, "/keys"),
    ("one key twice", {"keys": [_KEYS[0], _KEYS[0] | {"use": "sign"}]}, "/keys"),
    ("a hash in hexadecimal", {"channel_jkt": "ab" * 32}, "/channel_jkt"),
    ("attestation left out", {"attestation_sha256": ...}, ""),
    ("an unknown back end", {"back_end": "D"}, "/back_end"),
    ("an origin as RP ID", {"rp_id": "https://wallet.example.gov.tw"}, "/rp_id"),
    ("a phone name of 65 characters", {"phone_name": "x" * 65}, "/phone_name"),
    ("a scope twice", {"scope": ["outpatient", "outpatient"]}, "/scope"),
]

RENEW: list[Change] = [
    ("another purpose", {"purpose": "bind"}, "/purpose"),
    ("no binding", {"binding_id": None}, "/binding_id"),
    ("30 February", {"at": "2026-02-30T00:00:00Z"}, "/at"),
]

REVOKE: list[Change] = [
    ("another purpose", {"purpose": "bind"}, "/purpose"),
    ("no binding", {"bindings": []}, "/bindings"),
    ("a binding twice", {"bindings": ["b", "b"]}, "/bindings"),
    ("an unknown cause", {"cause": "bored"}, "/cause"),
]

RECEIPT: list[Change] = [
    ("ok without a subject", {"subject": None}, "/subject"),
    ("ok without commitments", {"commitments": None}, "/commitments"),
    ("ok with a reason", {"reason": "user_refused"}, "/reason"),
    ("an unknown reason", {"reason": "bad_luck"}, "/reason"),
    (
        "evidence out of order",
        {"binding": {"level": "none", "evidence": ["code_entered", "browser_bound"]}},
        "/binding/evidence",
    ),
    ("released before decided", {"decided_at": "2026-11-21T22:55:06Z"}, "/released_at"),
    ("a fraction as claim", {"claims": {"a": 1.5}}, "/claims/a"),
    ("2^53 as claim", {"claims": {"a": 2**53}}, "/claims/a"),
    ("a claim named in capitals", {"claims": {"A": 1}}, "/claims"),
    ("user_verification left out", {"user_verification": ...}, ""),
    ("a signature without full evidence", {"kind": "sign", "contents": [_CONTENT]}, "/evidence"),
]

REFUSED_RECEIPT: list[Change] = [
    ("refused without a reason", {"reason": None}, "/reason"),
    ("refused with a subject", {"subject": {"person_ref": "x"}}, "/subject"),
    ("refused with claims", {"claims": {"name": "王"}}, "/claims"),
]

_ACTOR = msgspec.to_builtins(samples.event().actor)

EVENT: list[Change] = [
    ("version 2", {"v": 2}, "/v"),
    ("an actor without a kind", {"actor": {"id": "phn_1"}}, "/actor"),
    ("an actor of no kind", {"actor": _ACTOR | {"kind": "agency"}}, "/actor/kind"),
    ("a person's name", {"subject": "王小明"}, "/subject"),
    ("a national ID", {"subject": "A123456789"}, "/subject"),
    ("a number", {"object": "123456789018"}, "/object"),
    ("object left out", {"object": ...}, ""),
    ("details in the clear", {"details": {"outcome": "ok"}}, "/details"),
    ("a use case without its feature", {"use_case": "session_decided"}, "/use_case"),
    ("a moment as text", {"at": "2026-11-21T22:55:04Z"}, "/at"),
    ("before 1970", {"at": -1}, "/at"),
    ("an unknown member", {"zzz": 1}, ""),
]

HEAD: list[Change] = [
    ("version 2", {"v": 2}, "/v"),
    ("30 February", {"at": "2026-02-30T00:00:00Z"}, "/at"),
    ("a negative size", {"size": -1}, "/size"),
    ("a short root", {"root": "AAAA"}, "/root"),
    ("no head before", {"previous": None}, "/previous"),
    ("number left out", {"number": ...}, ""),
    ("an unknown member", {"zzz": 1}, ""),
]

_ATTACK = {"id": "stale_frame", "passed": True, "detail": None}
REPORT: list[Change] = [
    ("version 2", {"v": 2}, "/v"),
    ("30 February", {"at": "2026-02-30T00:00:00Z"}, "/at"),
    ("no system", {"system": ""}, "/system"),
    ("no attack", {"items": []}, "/items"),
    ("an attack twice", {"items": [_ATTACK, _ATTACK], "passed": True}, "/items"),
    ("passed although an attack succeeded", {"passed": True}, "/passed"),
    ("failed although no attack succeeded", {"items": [_ATTACK]}, "/passed"),
    ("passed as a word", {"passed": "true"}, "/passed"),
    (
        "an attack without its result",
        {"items": [{"id": "stale_frame", "detail": None}]},
        "/items/0",
    ),
    ("an attack of another form", {"items": ["stale_frame"]}, "/items/0"),
    ("a detail of two lines", {"items": [_ATTACK | {"detail": "a\nb"}]}, "/items/0/detail"),
    ("kit left out", {"kit_version": ...}, ""),
    ("an unknown member", {"zzz": 1}, ""),
]

EVIDENCE: list[Change] = [
    ("version 2", {"v": 2}, "/v"),
    ("salts left out", {"salts": ...}, ""),
    ("an unknown member", {"zzz": 1}, ""),
    ("no certificate", {"certificates": []}, "/certificates"),
    ("a JWS of two parts", {"receipt": "a.b"}, "/receipt"),
    ("an index outside its tree", {"inclusion": _INCLUSION | {"index": 8}}, "/inclusion/index"),
    ("a proof without its leaf", {"inclusion": _without_event()}, "/inclusion"),
    ("a salt of 15 bytes", {"inclusion": _INCLUSION | {"salt": "A" * 20}}, "/inclusion/salt"),
    ("a word twice", {"platform_words": ["times", "times"]}, "/platform_words"),
]

WEBHOOK: list[Change] = [
    ("version 2", {"v": 2}, "/v"),
    ("30 February", {"at": "2026-02-30T00:00:00Z"}, "/at"),
    ("a state that is none", {"state": "done"}, "/state"),
    ("no session", {"session": None}, "/session"),
    ("an id with a space", {"id": "whd 1"}, "/id"),
    ("the outcome beside the state", {"outcome": "ok"}, ""),
    ("state left out", {"state": ...}, ""),
]
