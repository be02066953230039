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
from inkan.enrolment.service import FINISH_JOB, Enrolment, FinishJob, Parts
from inkan.enrolment.store import EVENT_PAIRS

__all__ = [
    "EVENT_PAIRS",
    "FINISH_JOB",
    "CardClient",
    "ChannelKey",
    "Enrolment",
    "EnrolmentNotFound",
    "FinishJob",
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
]
