"""One Hypothesis profile for all: no deadline, since shared machines stutter, and a line that repeats a failure."""

from hypothesis import settings


def pytest_configure() -> None:
    settings.register_profile("inkan", deadline=None, print_blob=True)
    settings.load_profile("inkan")
