"""What ``inkan pki validate`` is asked, on the command line or in a line of a batch, and how files become bytes."""

import base64
import binascii
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from inkan.crypto import oids
from inkan.crypto.validation.settings import (
    AlgorithmCeiling,
    Evidence,
    Material,
    Reach,
    Require,
    Settings,
)
from inkan.crypto.validation.validator import Validator
from inkan.crypto.validation.verdict import Reason, Refused, Verdict
from inkan.kernel.clock import Clock

MAX_FILE: Final = 8 * 1024 * 1024
MAX_LINE: Final = 64 * 1024
_BLOCK: Final = re.compile(
    rb"-----BEGIN ([A-Z0-9 ]+)-----\s(.*?)-----END \1-----", re.DOTALL | re.ASCII
)
_OID: Final = re.compile(r"[012](\.(0|[1-9][0-9]{0,38})){1,64}", re.ASCII)


class ValidationRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of the command, which are the members of a line of a batch.

    Attributes:
        trust: files of trusted certificates.
        cert: file of the certificate in question.
        intermediate: files of certificates for building the path.
        crl: files of lists.
        ocsp: files of OCSP responses.
        policy: user-initial-policy-set, dotted; empty is any policy.
        explicit_policy: initial-explicit-policy.
        inhibit_mapping: initial-policy-mapping-inhibit.
        inhibit_any: initial-any-policy-inhibit.
        time: RFC 3339; None is now.
        strict: see :class:`inkan.crypto.validation.settings.Settings`.
        algorithms: see :class:`inkan.crypto.validation.settings.AlgorithmCeiling`.
    """

    trust: tuple[str, ...] | str
    cert: str
    intermediate: tuple[str, ...] | str = ()
    crl: tuple[str, ...] | str = ()
    ocsp: tuple[str, ...] | str = ()
    policy: tuple[str, ...] | str = ()
    explicit_policy: bool = False
    inhibit_mapping: bool = False
    inhibit_any: bool = False
    time: str | None = None
    strict: bool = False
    algorithms: str = AlgorithmCeiling.MODERN.value


def answer_line(validator: Validator, line: bytes) -> Verdict:
    """Return the verdict on one line of a batch; a line that is no request is answered as such."""
    try:
        if len(line) > MAX_LINE:
            raise ValueError("a line of more than 64 KiB")  # noqa: TRY301  (answered below like the rest)
        members = msgspec.json.decode(line, type=dict[str, Any])
        named = {name.replace("-", "_"): value for name, value in members.items()}
        request = msgspec.convert(named, ValidationRequest)
    except (msgspec.DecodeError, ValueError) as error:
        return Verdict(reason=Reason.REQUEST_MALFORMED, detail=str(error))
    return answer(validator, request)


def answer(validator: Validator, request: ValidationRequest) -> Verdict:
    """Return the verdict on a request; what keeps it from being answered is the reason of an ``indeterminate``."""
    try:
        certificate, *supplied = _read([request.cert], Reason.CERTIFICATE_MALFORMED)
        material = Material(
            supplied=supplied,
            known=_read(_many(request.intermediate)),
            crls=_read(_many(request.crl)),
            ocsps=_read(_many(request.ocsp)),
        )
        settings = _settings(request, _read(_many(request.trust), Reason.ANCHOR_MALFORMED))
    except Refused as refused:
        return Verdict(reason=refused.reason, detail=refused.detail)
    return validator.validate(certificate, material, settings)


def _settings(request: ValidationRequest, anchors: list[bytes]) -> Settings:
    policies = _many(request.policy)
    if any(_OID.fullmatch(policy) is None for policy in policies):
        raise Refused(Reason.REQUEST_MALFORMED, "a policy that is no dotted OID")
    try:
        ceiling = AlgorithmCeiling(request.algorithms)
    except ValueError:
        raise Refused(Reason.REQUEST_MALFORMED, "algorithms: modern or legacy") from None
    return Settings(
        anchors=tuple(anchors),
        at=_time(request.time),
        require=_require(request),
        policies=frozenset(policies or {oids.ANY_POLICY}),
        explicit_policy=request.explicit_policy,
        inhibit_mapping=request.inhibit_mapping,
        inhibit_any=request.inhibit_any,
        ceiling=ceiling,
        strict=request.strict,
    )


def _require(request: ValidationRequest) -> Require:
    """Lists are asked about the whole path; answers, which speak of one certificate each, about the certificate."""
    if request.crl:
        evidence = Evidence.ANY if request.ocsp else Evidence.CRL
        return Require(evidence=evidence, reach=Reach.ALL, indirect=True)
    evidence = Evidence.OCSP if request.ocsp else Evidence.NONE
    return Require(evidence=evidence, reach=Reach.LEAF)


def _time(text: str | None) -> datetime:
    if text is None:
        return Clock().wire_now()
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Refused(Reason.REQUEST_MALFORMED, "a time that is not RFC 3339") from None


def _many(value: tuple[str, ...] | str) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _read(files: Iterable[str], malformed: Reason = Reason.EVIDENCE_MALFORMED) -> list[bytes]:
    """The DER of files, each DER or one or more PEM blocks."""
    found: list[bytes] = []
    for file in files:
        try:
            with Path(file).open("rb") as stream:
                data = stream.read(MAX_FILE + 1)
        except (OSError, ValueError) as error:
            raise Refused(Reason.REQUEST_MALFORMED, f"{file} cannot be read: {error}") from None
        if not data or len(data) > MAX_FILE:
            raise Refused(malformed, f"{file} is empty or larger than 8 MiB")
        found += _blocks(data, file, malformed)
    return found


def _blocks(data: bytes, file: str, malformed: Reason) -> list[bytes]:
    if b"-----BEGIN" not in data:
        return [data]
    try:
        ders = [
            base64.b64decode(b"".join(body.split()), validate=True)
            for _, body in _BLOCK.findall(data)
        ]
    except binascii.Error:
        ders = []
    if not ders:
        raise Refused(malformed, f"{file} is neither DER nor PEM")
    return ders
