"""Approvals and questions in any state."""

from datetime import timedelta
from typing import Any

from inkan.approvals import Approval, Opener, Question, RelyingPartyName
from inkan.crypto import base64url
from inkan.kernel.ids import ApprovalID, PersonID, PhoneID, new_id
from inkan.wire.session import SessionState
from support.clock import START

NOW = START
LIFE = timedelta(seconds=180)
CHEN = Opener(phone=PhoneID("phn_chen"), person=PersonID("per_chen"))
LIN = Opener(phone=PhoneID("phn_lin"), person=PersonID("per_lin"))


def question(**members: Any) -> Question:
    return Question(
        **{
            "iss": "http://id.localhost:8480",
            "kind": "identify",
            "session": "ses_a",
            "system": "sys_a",
            "relying_party": RelyingPartyName("org_a", "Tax Office", "tax.example"),
            "purpose": "login",
            "purpose_text": {"en": "Log in", "ja": "ログイン", "zh-Hant": "登入"},
            "challenge": base64url.encode(bytes(32)),
            "contents": [{"id": "a", "name": "契約書"}],
        }
        | members
    )


def approval(**members: Any) -> Approval:
    return Approval(
        **{
            "id": ApprovalID(new_id("apr")),
            "state": SessionState.PRESENTED,
            "outcome": None,
            "reason": None,
            "door": None,
            "handle": new_id("qr"),
            "link": None,
            "generation": 1,
            "qr_t0": NOW,
            "question": question(),
            "draft": None,
            "phone": None,
            "person": None,
            "evidence": (),
            "code_tries": 0,
            "redeem_until": None,
            "opened_at": None,
            "statement_sha256": None,
            "created_at": NOW,
            "expires_at": NOW + LIFE,
            "decided_at": None,
            "released_at": None,
            "version": 1,
        }
        | members
    )
