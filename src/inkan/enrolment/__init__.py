"""Phones: bound with a card, renewed without it, revoked by their person or with the card's end."""

from inkan.enrolment.model import (
    CardClient,
    ChannelKey,
    EnrolmentNotFound,
    NoFreeSlot,
    Phone,
    PhoneCertificate,
    PhoneFacts,
    PhoneNotFound,
    PhonePrincipal,
    PhoneState,
    PhoneYoung,
    RequestState,
)
from inkan.enrolment.model.kiosk import Kiosk, KioskKind
from inkan.enrolment.service import (
    END_KEYS_JOB,
    FINISH_JOB,
    EndKeysJob,
    Enrolment,
    FinishJob,
    Parts,
    phone_topic,
)
from inkan.enrolment.store import EVENT_PAIRS

__all__ = [
    "END_KEYS_JOB",
    "EVENT_PAIRS",
    "FINISH_JOB",
    "CardClient",
    "ChannelKey",
    "EndKeysJob",
    "Enrolment",
    "EnrolmentNotFound",
    "FinishJob",
    "Kiosk",
    "KioskKind",
    "NoFreeSlot",
    "Parts",
    "Phone",
    "PhoneCertificate",
    "PhoneFacts",
    "PhoneNotFound",
    "PhonePrincipal",
    "PhoneState",
    "PhoneYoung",
    "RequestState",
    "phone_topic",
]
