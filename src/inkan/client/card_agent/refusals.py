"""What the card agent refuses, or what a page hears when there is none."""

from inkan.kernel.errors import Conflict, Forbidden, Malformed, NotFound, TooLarge, Unavailable


class AgentRequestMalformed(Malformed):
    """No request of the card agent: not JSON, an unknown command, a member too many or too few."""

    code = "card_agent_malformed"
    title = "The page asked the card agent for something that it does not know"


class AgentRequestTooLarge(TooLarge):
    """More than a request of its kind may have; nothing of it was parsed, or nothing was done."""

    code = "card_agent_too_large"
    title = "The page's request to the card agent is larger than allowed"


class AgentBusy(Conflict):
    """The agent serves another page, or another request of this one."""

    code = "card_agent_busy"
    title = "The card agent is busy with another request"


class OriginUnlisted(Forbidden):
    """The page's origin is not in the agent's configuration."""

    code = "card_agent_origin_unlisted"
    title = "This web site is not allowed to use the card"
    public = ("origin",)


class OriginRefused(Forbidden):
    """What should be signed names another origin than the page's, or none."""

    code = "card_origin_refused"
    title = "What should be signed belongs to another web site"
    public = ("origin",)


class PhotoRefused(Forbidden):
    """Only at a kiosk, for a registration, is the photo in the card looked at (WAT-50)."""

    code = "card_photo_refused"
    title = "This web site is told nothing of the photo in the card"
    public = ("origin",)


class DialogUnavailable(Unavailable):
    """The program that asks for the PIN does not start, or answers something else than its protocol."""

    code = "card_dialog_unavailable"
    title = "The window that asks for the PIN cannot be opened"


class AgentMissing(NotFound):
    """A page found no agent; raised in the page only."""

    code = "card_agent_missing"
    title = "No card agent was found on this computer"


class AgentUnpaired(Forbidden):
    """A page knows where a loopback agent may be, but nobody typed its secret; or typed another."""

    code = "card_agent_unpaired"
    title = "The card agent of this computer is not connected with this page yet"


class AgentConfigurationUnsafe(Malformed):
    """The configuration is absent, malformed, or may be written by others than its owner."""

    code = "card_agent_configuration_unsafe"
    title = "The configuration of the card agent cannot be used"
