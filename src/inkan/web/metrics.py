"""Figures for the operator: requests by route and status, how long they took.

Labels are route templates, methods and status codes: never paths, never ids. The text is served on the
operator's own listener, not on a public site.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30, 120)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def known_method(method: str) -> str:
    """The method, or ``other`` for one that a stranger made up: labels and log lines are ours."""
    return method if method in _METHODS else "other"


class Metrics:
    """One registry per process; features add their own figures to ``registry``."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "inkan_http_requests",
            "Requests answered",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "inkan_http_seconds",
            "Time from the request's head to the end of its answer",
            ("route",),
            buckets=_BUCKETS,
            registry=self.registry,
        )

    def observe(self, method: str, template: str, status: int, seconds: float) -> None:
        """Count one answer to a known method; ``status`` 0 means that the sender went away first."""
        self._requests.labels(method, template, str(status)).inc()
        self._seconds.labels(template).observe(seconds)

    def text(self) -> bytes:
        """All figures in the Prometheus text format."""
        return generate_latest(self.registry)
