"""Certification path validation (RFC 5280 §6, RFC 4158, RFC 6960), whole and in one place.

Start at :func:`inkan.crypto.validation.validator.validate`; what can be asked of it stands in
:mod:`inkan.crypto.validation.settings`, what it answers in :mod:`inkan.crypto.validation.verdict`.
"""
