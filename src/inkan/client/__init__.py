"""What others run: relying parties, phones, card clients, and anyone who verifies a receipt.

It stands on kernel, crypto and wire only, talks to a platform over HTTP alone, and holds no secret of it.
"""

from inkan.client.authenticator import UserNotVerified
from inkan.client.card import (
    CardConnection,
    CardNotOpen,
    CardRemoved,
    CardRequestDeclined,
    CardRequestRefused,
    DigitsMismatch,
    Giving,
    NoCard,
    NoReader,
    PINLocked,
    WrongPIN,
)
from inkan.client.document_view import Batch, Document, DocumentOrder
from inkan.client.draft_check import DraftRefused
from inkan.client.durable_file import FileBusy, FileExists, FileMissing
from inkan.client.enrolment import EnrolmentClient, EnrolmentEnded, StartedEnrolment
from inkan.client.exchange import (
    AnswerMalformed,
    CallConflict,
    CallForbidden,
    CallGone,
    CallMalformed,
    CallNotFound,
    CallRefused,
    CallTooMany,
    CallUnauthenticated,
    CallUnavailable,
    PlatformTimeout,
    PlatformUnreachable,
    Problem,
)
from inkan.client.followed_session import Session, SyncSession
from inkan.client.http import AsyncTransport, SyncTransport
from inkan.client.path_verifier import PathVerifier
from inkan.client.phone import Phone
from inkan.client.phone_approval import Decision
from inkan.client.phone_file import PhoneFileLocked
from inkan.client.phone_parts import PhoneNotBound
from inkan.client.published_view import ErrorEntry, Limits, PlatformStatus, RemoteReport
from inkan.client.rates import RateLeft
from inkan.client.receipt_report import Report, Trust, Verdict
from inkan.client.relying_party import RelyingParty, SyncRelyingParty
from inkan.client.repeating import NO_PATIENCE, Patience
from inkan.client.resource_server import (
    AccessToken,
    ResourceServer,
    TokenChallenge,
    read_provider_keys,
)
from inkan.client.rp_calls import SystemCredentials
from inkan.client.rp_session import FetchedReceipt, ReceiptNotValid
from inkan.client.session_view import (
    ContentOrder,
    Return,
    SessionView,
    SubjectHint,
    begin_return,
)
from inkan.client.software_card import SoftwareCard
from inkan.client.verifier import verify_receipt
from inkan.client.webhook_receiver import SyncWebhookReceiver, WebhookReceiver
from inkan.client.webhooks import (
    NonceMemory,
    WebhookReplayed,
    read_webhook_keys,
    verify_webhook,
)

__all__ = [
    "NO_PATIENCE",
    "AccessToken",
    "AnswerMalformed",
    "AsyncTransport",
    "Batch",
    "CallConflict",
    "CallForbidden",
    "CallGone",
    "CallMalformed",
    "CallNotFound",
    "CallRefused",
    "CallTooMany",
    "CallUnauthenticated",
    "CallUnavailable",
    "CardConnection",
    "CardNotOpen",
    "CardRemoved",
    "CardRequestDeclined",
    "CardRequestRefused",
    "ContentOrder",
    "Decision",
    "DigitsMismatch",
    "Document",
    "DocumentOrder",
    "DraftRefused",
    "EnrolmentClient",
    "EnrolmentEnded",
    "ErrorEntry",
    "FetchedReceipt",
    "FileBusy",
    "FileExists",
    "FileMissing",
    "Giving",
    "Limits",
    "NoCard",
    "NoReader",
    "NonceMemory",
    "PINLocked",
    "PathVerifier",
    "Patience",
    "Phone",
    "PhoneFileLocked",
    "PhoneNotBound",
    "PlatformStatus",
    "PlatformTimeout",
    "PlatformUnreachable",
    "Problem",
    "RateLeft",
    "ReceiptNotValid",
    "RelyingParty",
    "RemoteReport",
    "Report",
    "ResourceServer",
    "Return",
    "Session",
    "SessionView",
    "SoftwareCard",
    "StartedEnrolment",
    "SubjectHint",
    "SyncRelyingParty",
    "SyncSession",
    "SyncTransport",
    "SyncWebhookReceiver",
    "SystemCredentials",
    "TokenChallenge",
    "Trust",
    "UserNotVerified",
    "Verdict",
    "WebhookReceiver",
    "WebhookReplayed",
    "WrongPIN",
    "begin_return",
    "read_provider_keys",
    "read_webhook_keys",
    "verify_receipt",
    "verify_webhook",
]
