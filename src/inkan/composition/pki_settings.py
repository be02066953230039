"""The settings about certificates: how they are checked before signing, and how long answers about them hold."""

import msgspec


class PKISettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the certification authorities of this instance work, and how far its time-stamps may be off.

    The host's clock must keep within half of ``timestamp_accuracy_ms`` of UTC. A list is in force for ``crl_hours``
    and an OCSP answer for ``ocsp_minutes``; both are made again at half of it, and the practice statement names them
    as the bound for verifiers that keep what they fetched. One sender gets ``ocsp_live_per_minute`` answers that
    cannot be stored: with a nonce, about several certificates, about a serial that was never issued.
    """

    lint: bool = True
    crl_hours: int = 2
    ocsp_minutes: int = 60
    timestamp_accuracy_ms: int = 1000
    timestamps_per_minute: int = 6000
    ocsp_live_per_minute: int = 600
