"""The pages of a sandbox: virtual phones, the clock and the faults; and every door tried out, call by call."""

from inkan.sandbox.pages.home import (
    BEHAVIOURS,
    BUTTONS,
    COOKIE,
    DOOR_FORMS,
    FOLDER,
    MENU,
    STATES,
    PrincipalOf,
    home_groups,
)
from inkan.sandbox.pages.trying import try_group
from inkan.sandbox.service import Sandbox
from inkan.web.routes import Group


def groups(sandbox: Sandbox, principal_of: PrincipalOf) -> list[Group]:
    """The pages of the sandbox; ``principal_of`` is how the API knows a system."""
    return [*home_groups(sandbox, principal_of), try_group(sandbox, principal_of)]


__all__ = ["BEHAVIOURS", "BUTTONS", "COOKIE", "DOOR_FORMS", "FOLDER", "MENU", "STATES", "groups"]
