"""The use cases of the log: write, sequence, sign, prove, verify."""

from inkan.audit.service.log import Audit

__all__ = ["Audit"]
