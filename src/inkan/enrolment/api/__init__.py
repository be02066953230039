"""The desk's API (``/enrol/v1``) and the phone's own (``/phone/v1``), and who a phone's request comes from."""

from inkan.enrolment.api.access import CHANNEL_ROLE, PERMISSIONS, PHONE_ROLE, authenticator
from inkan.enrolment.api.desk import desk_routes
from inkan.enrolment.api.kiosk import kiosk_phone_routes
from inkan.enrolment.api.phone import phone_routes

__all__ = [
    "CHANNEL_ROLE",
    "PERMISSIONS",
    "PHONE_ROLE",
    "authenticator",
    "desk_routes",
    "kiosk_phone_routes",
    "phone_routes",
]
