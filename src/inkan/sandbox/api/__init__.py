"""The sandbox over HTTP: its routes under ``/v1/sandbox``, and the faults around the routes of relying parties."""

from inkan.sandbox.api.faulting import around
from inkan.sandbox.api.systems import groups

__all__ = ["around", "groups"]
