"""What a careless relying party leaves out, one check at a time, and which attack of the kit finds it."""

from enum import StrEnum

from inkan.conformance import Item


class Careless(StrEnum):
    """What is left out."""

    REMEMBERS_CODES = "remembers_codes"
    BELIEVES_ADDRESS = "believes_address"
    FINISHES_FOR_OTHERS = "finishes_for_others"
    KEEPS_COOKIE = "keeps_cookie"
    STATIC_CODE = "static_code"
    SECRET_IN_PAGE = "secret_in_page"
    MISMATCH_IS_OK = "mismatch_is_ok"
    IGNORES_MATCH = "ignores_match"
    ANY_ROOT = "any_root"
    ANY_SIGNATURE = "any_signature"
    ANY_TERM = "any_term"
    ANY_SIGNER = "any_signer"
    IGNORES_STATUS = "ignores_status"
    ANY_SESSION = "any_session"
    ANY_CHALLENGE = "any_challenge"
    ANY_PARTY = "any_party"
    ANY_ISSUER = "any_issuer"
    BELIEVES_VIEW = "believes_view"
    IGNORES_RECEIPT_OUTCOME = "ignores_receipt_outcome"
    ALG_NONE = "alg_none"
    ALG_HS256 = "alg_hs256"
    ALG_RS256 = "alg_rs256"
    KEY_IN_HEADER = "key_in_header"
    IGNORES_LEVEL = "ignores_level"
    LEVEL_OF_VIEW = "level_of_view"
    UNKNOWN_STATE_IS_OK = "unknown_state_is_ok"
    UNKNOWN_OUTCOME_IS_OK = "unknown_outcome_is_ok"
    CANCELLED_IS_OK = "cancelled_is_ok"
    UNSIGNED_WEBHOOK = "unsigned_webhook"
    WEBHOOK_ANY_KEY = "webhook_any_key"
    WEBHOOK_ANY_SIGNATURE = "webhook_any_signature"
    WEBHOOK_ANY_BODY = "webhook_any_body"
    OLD_WEBHOOK = "old_webhook"
    REPLAYED_WEBHOOK = "replayed_webhook"


FAILS = {
    Careless.REMEMBERS_CODES: Item.REPLAYED_RETURN_CODE,
    Careless.BELIEVES_ADDRESS: Item.SWAPPED_CALLBACK,
    Careless.FINISHES_FOR_OTHERS: Item.SESSION_FIXATION,
    Careless.KEEPS_COOKIE: Item.FIXED_COOKIE,
    Careless.STATIC_CODE: Item.STALE_FRAME,
    Careless.SECRET_IN_PAGE: Item.STALE_FRAME,
    Careless.MISMATCH_IS_OK: Item.WRONG_PERSON,
    Careless.IGNORES_MATCH: Item.WRONG_PERSON,
    Careless.ANY_ROOT: Item.FORGED_RECEIPT,
    Careless.ANY_SIGNATURE: Item.FORGED_RECEIPT,
    Careless.ANY_TERM: Item.EXPIRED_SIGNER,
    Careless.ANY_SIGNER: Item.WRONG_SIGNER,
    Careless.IGNORES_STATUS: Item.REVOKED_CERTIFICATE,
    Careless.ANY_SESSION: Item.SWAPPED_RECEIPT,
    Careless.ANY_CHALLENGE: Item.SWAPPED_RECEIPT,
    Careless.ANY_PARTY: Item.SWAPPED_RECEIPT,
    Careless.ANY_ISSUER: Item.SWAPPED_RECEIPT,
    Careless.BELIEVES_VIEW: Item.CONTRADICTING_VIEW,
    Careless.IGNORES_RECEIPT_OUTCOME: Item.CONTRADICTING_VIEW,
    Careless.ALG_NONE: Item.ALG_CONFUSION,
    Careless.ALG_HS256: Item.ALG_CONFUSION,
    Careless.ALG_RS256: Item.ALG_CONFUSION,
    Careless.KEY_IN_HEADER: Item.ALG_CONFUSION,
    Careless.IGNORES_LEVEL: Item.LOW_LEVEL,
    Careless.LEVEL_OF_VIEW: Item.LOW_LEVEL,
    Careless.UNKNOWN_STATE_IS_OK: Item.UNKNOWN_ANSWER,
    Careless.UNKNOWN_OUTCOME_IS_OK: Item.UNKNOWN_ANSWER,
    Careless.CANCELLED_IS_OK: Item.CANCELLED_SESSION,
    Careless.UNSIGNED_WEBHOOK: Item.WEBHOOK_FORGERY,
    Careless.WEBHOOK_ANY_KEY: Item.WEBHOOK_FORGERY,
    Careless.WEBHOOK_ANY_SIGNATURE: Item.WEBHOOK_FORGERY,
    Careless.WEBHOOK_ANY_BODY: Item.WEBHOOK_FORGERY,
    Careless.OLD_WEBHOOK: Item.WEBHOOK_REPLAY,
    Careless.REPLAYED_WEBHOOK: Item.WEBHOOK_REPLAY,
}
