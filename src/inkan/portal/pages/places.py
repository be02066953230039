"""What the portal's pages share: where they stand, whose page one is, and the paths that a login leads on to."""

from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from inkan.accounts import Login
from inkan.kernel.ids import PersonID
from inkan.web.exchange import Exchange
from inkan.web.input import is_local_path

FOLDER: Final = Path(__file__).parent.parent
"""Where this package's templates and texts are: ``Templates({"portal": FOLDER})``."""

START_PATH: Final = "/"
VERIFY_PATH: Final = "/verify"
STATUS_PATH: Final = "/status"
HELP_PATH: Final = "/help"
CONSOLE_PATH: Final = "/console"

# Pages of other features, which lie beside this one or below it and whose pages nobody imports.
ENROL_PATH: Final = "/enrol"
NEWS_PATH: Final = "/news"
DEVELOPER_PATH: Final = "/developer"
STAFF_PATH: Final = "/staff"
STAFF_LOGIN_PATH: Final = "/staff/login"
AUTHORITIES_PATH: Final = "/ca"
API_STATUS_PATH: Final = "/v1/status"

HOME_PATH: Final = "/my"
RECORDS_PATH: Final = "/my/records"
JSON_PATH: Final = "/my/records.json"
CSV_PATH: Final = "/my/records.csv"
CONSENTS_PATH: Final = "/my/consents"
BROWSERS_PATH: Final = "/my/browsers"
CLIENTS_PATH: Final = "/my/clients"
PHONES_PATH: Final = "/my/phones"
FREEZE_PATH: Final = "/my/phones/freeze"
CERTIFICATES_PATH: Final = "/my/certificates"
NOTICES_PATH: Final = "/my/notices"
LOGOUT_PATH: Final = "/my/logout"
LOGIN_PATH: Final = "/login"
CODE_PATH: Final = "/login/code"
FINISH_PATH: Final = "/login/finish"


async def who(exchange: Exchange) -> tuple[PersonID, Login]:
    """Whose page this is: the person of the login, whatever the request says."""
    principal = await exchange.get_principal()
    login: Login = principal.record
    assert login.person is not None, "the matrix lets persons in, nobody else"
    return login.person, login


def local(path: str | None) -> str:
    """A path of this site, or nothing: a login leads on within this site only."""
    return path if path and is_local_path(path) else ""


def with_query(path: str, **members: str) -> str:
    """The path with the members that say something as its query."""
    said = {name: value for name, value in members.items() if value}
    return f"{path}?{urlencode(said)}" if said else path
