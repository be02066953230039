"""The settings of one instance: one frozen object, read once.

A TOML file names what differs from the defaults; environment variables overlay it (``INKAN_SERVER__PORT``
for ``[server] port``), and a variable that ends in ``_FILE`` takes its value from that file, so that a
passphrase need not stand in an environment. Unknown keys are refused: a misspelt setting is a mistake,
never a silent default.
"""

import os
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from inkan.composition.card_settings import CardAuthority, Cards
from inkan.composition.counter_settings import CounterSettings
from inkan.composition.enrolment_settings import EnrolmentSettings
from inkan.composition.key_settings import Activation, Budgets, Keys, Remote, Signer, Token
from inkan.composition.limit_settings import Limits
from inkan.composition.openid_settings import OpenIDSettings
from inkan.composition.pki_settings import PKISettings
from inkan.composition.push_settings import Push
from inkan.composition.sandbox_settings import SandboxSettings
from inkan.composition.wallet_settings import Wallet
from inkan.kernel.errors import Malformed

PREFIX = "INKAN_"
# Variables with the prefix that belong to the build and the tests, not to an instance.
FOREIGN = frozenset(
    {"INKAN_PHONE_PASSPHRASE", "INKAN_REQUIRE_ALL", "INKAN_SETTINGS", "INKAN_TEST_RUN"}
)

# Settings that a variable holds with commas between their members.
LISTS = frozenset(
    {"admitted", "certificate_header", "exporters", "hosts", "networks", "peers", "screens"}
)

LAST_PORT = 65535
TIMESTAMP_ACCURACIES_MS = range(100, 60_000 + 1)
DEFAULT_PORTS = {"http": 80, "https": 443}


class SettingsWrong(Malformed):
    """The settings do not say what an instance needs."""

    code = "settings_wrong"
    title = "The settings are not usable"
    public = ("where", "expected")


class Environment(StrEnum):
    """What an instance is for. Only production runs on true time and on https origins alone."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"
    DEMO = "demo"


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the instance listens. Loopback unless an operator says otherwise.

    ``certificate_header`` names the addresses and networks of the proxies that end TLS and pass a client's certificate
    on in ``Client-Cert`` (RFC 9440); from everybody else that header is dropped.
    """

    host: str = "127.0.0.1"
    port: int = 8480
    backlog: int = 8192
    certificate_header: tuple[str, ...] = ()


class Origins(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The web origins of the instance, without a trailing slash.

    The wallet's host is the RP ID of the phones' passkeys: changing it unbinds every phone.
    """

    platform: str = "http://id.localhost:8480"
    wallet: str = "http://wallet.localhost:8480"


class Workers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The pool of processes that parse what strangers send."""

    count: int = 1
    memory_mib: int = 512
    deadline_s: float = 10.0


class Notices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where mail goes: a spool folder (default ``HOME/spool``) that a mail system empties."""

    spool: str = ""
    sender: str = "inkan@localhost"


class Database(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``sqlite:////absolute/path.db`` (default ``HOME/inkan.db``) or ``postgresql://…``."""

    url: str = ""


class Fetch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exact loopback authorities (``host:port``) that outgoing requests may reach; empty in production."""

    admitted: tuple[str, ...] = ()


class Onboarding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose exports of reviewed systems this instance takes in (docs/relying-parties/onboarding.md).

    ``exporters`` names files of JSON: what ``inkan systems exporter`` prints at the sandbox.
    """

    exporters: tuple[str, ...] = ()


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything an operator decides about one instance."""

    environment: Environment = Environment.PRODUCTION
    home: str = "inkan-home"
    server: Server = Server()
    origins: Origins = Origins()
    keys: Keys = Keys()
    token: Token = Token()
    remote: Remote = Remote()
    signer: Signer = Signer()
    activation: Activation = Activation()
    budgets: Budgets = Budgets()
    pki: PKISettings = PKISettings()
    workers: Workers = Workers()
    notices: Notices = Notices()
    push: Push = Push()
    database: Database = Database()
    fetch: Fetch = Fetch()
    limits: Limits = Limits()
    cards: Cards = Cards()
    onboarding: Onboarding = Onboarding()
    sandbox: SandboxSettings = SandboxSettings()
    wallet: Wallet = Wallet()
    enrolment: EnrolmentSettings = EnrolmentSettings()
    openid: OpenIDSettings = OpenIDSettings()
    counter: CounterSettings = CounterSettings()

    @property
    def home_path(self) -> Path:
        """The folder that holds all that is not in the database server."""
        return Path(self.home).resolve()

    @property
    def database_url(self) -> str:
        """The URL with its default filled in."""
        return self.database.url or f"sqlite:///{self.home_path / 'inkan.db'}"

    @property
    def keys_path(self) -> Path:
        """The folder of the encrypted key files."""
        return Path(self.keys.folder) if self.keys.folder else self.home_path / "keys"

    @property
    def signer_path(self) -> Path:
        """Where the signer process of these settings listens."""
        return Path(self.signer.socket) if self.signer.socket else self.home_path / "signer.sock"

    @property
    def spool_path(self) -> Path:
        """The folder that outgoing mail is written into."""
        return Path(self.notices.spool) if self.notices.spool else self.home_path / "spool"

    @property
    def rp_id(self) -> str:
        """The WebAuthn RP ID of phones: the wallet's host exactly."""
        return host_of(self.origins.wallet)

    @property
    def staff_rp_id(self) -> str:
        """The WebAuthn RP ID of staff logins: the platform's host."""
        return host_of(self.origins.platform)


def host_of(origin: str) -> str:
    """The host of an origin, without its port."""
    return urlsplit(origin).hostname or ""


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the file and overlay the environment.

    Raises:
        SettingsWrong: not TOML, an unknown key, a wrong type, or a rule of :func:`check` broken.
    """
    tree = _read_file(path) if path else {}
    for name, value in sorted(environ.items()):
        if name.startswith(PREFIX) and name not in FOREIGN:
            _overlay(tree, name, value)
    try:
        settings = msgspec.convert(tree, Settings, strict=False)
    except msgspec.ValidationError as wrong:
        raise SettingsWrong(str(wrong), where=str(path or "environment")) from None
    return check(settings)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise SettingsWrong(f"{path}: {wrong}", where=str(path)) from None


def _overlay(tree: dict[str, Any], name: str, value: str) -> None:
    key = name.removeprefix(PREFIX)
    if key.endswith("_FILE"):
        key = key.removesuffix("_FILE")
        try:
            value = Path(value).read_text(encoding="utf-8").rstrip("\n")
        except (OSError, UnicodeDecodeError) as wrong:
            raise SettingsWrong(f"{name}: {wrong}", where=name) from None
    *sections, leaf = key.lower().split("__")
    for section in sections:
        tree = tree.setdefault(section, {})
        if not isinstance(tree, dict):
            raise SettingsWrong(f"{name}: {section} is no section", where=name)
    tree[leaf] = [each for each in value.split(",") if each] if leaf in LISTS else value


def check(settings: Settings) -> Settings:
    """Return the settings if they hold together.

    Raises:
        SettingsWrong: an origin that is none, one host for platform and wallet, a figure out of its range, two card
            authorities of one name, keys in a place that is not configured; in production, an origin without https,
            admitted loopback authorities, or no passphrase.
    """
    for name in ("platform", "wallet"):
        _check_origin(settings, name)
    if settings.rp_id == settings.staff_rp_id:
        # Two ports of one host share cookies and passkeys, so the host itself must differ.
        raise SettingsWrong("the wallet needs a host of its own", where="origins.wallet")
    _check_figures(settings)
    _check_card_authorities(settings.cards.authorities)
    _check_places(settings)
    _check_networks(settings.activation.networks, where="activation.networks")
    _check_networks(settings.server.certificate_header, where="server.certificate_header")
    if not all(_is_origin(each) for each in settings.wallet.screens):
        raise SettingsWrong("an origin is scheme://host[:port]", where="wallet.screens")
    if settings.environment is Environment.PRODUCTION:
        _check_production(settings)
    return settings


def _check_figures(settings: Settings) -> None:
    if not 0 <= settings.server.port <= LAST_PORT:
        raise SettingsWrong("a port is 0 to 65535", where="server.port")
    figures = {
        "server.backlog": settings.server.backlog,
        "pki.crl_hours": settings.pki.crl_hours,
        "pki.ocsp_minutes": settings.pki.ocsp_minutes,
        "cards.status_minutes": settings.cards.status_minutes,
        "pki.timestamps_per_minute": settings.pki.timestamps_per_minute,
        "pki.ocsp_live_per_minute": settings.pki.ocsp_live_per_minute,
        "limits.sessions_per_minute": settings.limits.sessions_per_minute,
        "limits.calls_per_minute": settings.limits.calls_per_minute,
        "limits.published_per_minute": settings.limits.published_per_minute,
        "limits.verifications_per_minute": settings.limits.verifications_per_minute,
        "workers.count": settings.workers.count,
        "workers.memory_mib": settings.workers.memory_mib,
        "workers.deadline_s": settings.workers.deadline_s,
        "token.sessions": settings.token.sessions,
        "token.wait_s": settings.token.wait_s,
        "remote.deadline_s": settings.remote.deadline_s,
        "remote.connections": settings.remote.connections,
        "sandbox.phones": settings.sandbox.phones,
        "sandbox.days": settings.sandbox.days,
    }
    budgets = msgspec.structs.asdict(settings.budgets)
    figures |= {f"budgets.{name}": budget for name, budget in budgets.items()}
    for where, figure in figures.items():
        if figure <= 0:
            raise SettingsWrong("the figure must be greater than 0", where=where)
    if settings.pki.timestamp_accuracy_ms not in TIMESTAMP_ACCURACIES_MS:
        raise SettingsWrong("100 to 60,000 milliseconds", where="pki.timestamp_accuracy_ms")


def _check_card_authorities(authorities: tuple[CardAuthority, ...]) -> None:
    names = [each.name for each in authorities]
    if len(set(names)) != len(names):
        raise SettingsWrong("two card authorities of one name", where="cards.authorities")
    for each in authorities:
        for origin in each.origins:
            if not _is_origin(origin) or urlsplit(origin).scheme not in DEFAULT_PORTS:
                raise SettingsWrong(
                    "an origin is http(s)://host[:port], nothing more",
                    where=f"cards.authorities.{each.name}.origins",
                )


def _check_places(settings: Settings) -> None:
    """A place that keys are made in must be configured; and what the signer checks must be able to hold."""
    configured = {"file": "file", "pkcs11": settings.token.module, "remote": settings.remote.socket}
    wanted = {
        "keys.authorities": settings.keys.authorities,
        "keys.signers": settings.keys.signers,
        "keys.services": settings.keys.services,
        "keys.phones": settings.keys.phones,
    }
    for where, place in wanted.items():
        if place and not configured[place]:
            raise SettingsWrong(f"{place} is not configured: see [token] and [remote]", where=where)
    if (settings.keys.authorities == "remote") != (settings.keys.signers == "remote"):
        # A signer certifies the keys of responders only if it holds them itself (docs/keys.md).
        raise SettingsWrong(
            "remote for both authorities and signers, or none", where="keys.signers"
        )


def _check_networks(networks: tuple[str, ...], *, where: str) -> None:
    for each in networks:
        try:
            ip_network(each)
        except ValueError as wrong:
            raise SettingsWrong(str(wrong), where=where) from None


def _check_production(settings: Settings) -> None:
    if settings.fetch.admitted:
        raise SettingsWrong("production admits no loopback authority", where="fetch.admitted")
    if settings.wallet.screens:
        raise SettingsWrong("in production codes are scanned", where="wallet.screens")
    if any(not each.url.startswith("https:") for each in settings.enrolment.card_clients):
        raise SettingsWrong("a card program answers by https", where="enrolment.card_clients")
    if not settings.keys.passphrase:
        raise SettingsWrong(
            "set keys.passphrase, best by INKAN_KEYS__PASSPHRASE_FILE", where="keys.passphrase"
        )


def _check_origin(settings: Settings, name: str) -> None:
    where = f"origins.{name}"
    origin = getattr(settings.origins, name)
    parts = urlsplit(origin)
    if not _is_origin(origin):
        raise SettingsWrong("an origin is scheme://host[:port], nothing more", where=where)
    if parts.scheme == "https":
        return
    loopback = parts.hostname == "localhost" or (parts.hostname or "").endswith(".localhost")
    if parts.scheme != "http" or not loopback or settings.environment is Environment.PRODUCTION:
        raise SettingsWrong(
            "an origin is https; only a demo or sandbox may use http on *.localhost",
            where=where,
            expected="https",
        )


def _is_origin(text: str) -> bool:
    """Whether a browser would write the origin so (RFC 6454 §6.1): lower case, no default port, no path."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    named = parts.hostname or ""
    host = f"[{named}]" if ":" in named else named
    default = port is None or port == DEFAULT_PORTS.get(parts.scheme)
    return bool(named) and text == f"{parts.scheme}://{host}{'' if default else f':{port}'}"


__all__ = [
    "Activation",
    "Budgets",
    "CardAuthority",
    "Cards",
    "Environment",
    "Keys",
    "Limits",
    "Push",
    "Remote",
    "SandboxSettings",
    "Settings",
    "SettingsWrong",
    "Signer",
    "Token",
    "check",
    "host_of",
    "load",
]
