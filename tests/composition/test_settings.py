"""Settings: a file, the environment over it, and nothing unusable gets through."""

from pathlib import Path

import pytest

from inkan.cli.config import flat
from inkan.composition.platform import passphrase
from inkan.composition.settings import (
    Database,
    Environment,
    Keys,
    Settings,
    SettingsWrong,
    load,
)

PRODUCTION = """
[origins]
platform = "https://id.example"
wallet = "https://wallet.example"
[keys]
passphrase = "correct horse"
"""
DEMO = {"INKAN_ENVIRONMENT": "demo"}


def file_of(folder: Path, text: str) -> Path:
    path = folder / "inkan.toml"
    path.write_text(text, encoding="utf-8")
    return path


def where(path: Path | None, environ: dict[str, str]) -> str:
    """Where a refusal says that the settings are wrong."""
    with pytest.raises(SettingsWrong) as refused:
        load(path, environ)
    return refused.value.facts["where"]


def test_a_file_names_what_differs_from_the_defaults(tmp_path: Path) -> None:
    settings = load(file_of(tmp_path, PRODUCTION + "[server]\nport = 9000\n"), {})
    assert settings.server.port == 9000
    assert settings.server.host == Settings().server.host
    assert settings.environment is Environment.PRODUCTION
    assert (settings.rp_id, settings.staff_rp_id) == ("wallet.example", "id.example")


@pytest.mark.parametrize(
    "text",
    ["colour = 'red'", "[server]\nprot = 1", "[origin]\n", "[server", "[server]\nport = 'x'"],
)
def test_an_unknown_key_or_type_is_refused(tmp_path: Path, text: str) -> None:
    path = file_of(tmp_path, text)
    assert where(path, DEMO) == str(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert where(tmp_path / "none.toml", DEMO) == str(tmp_path / "none.toml")


def test_the_environment_lies_over_the_file(tmp_path: Path) -> None:
    path = file_of(tmp_path, PRODUCTION + "[server]\nport = 9000\nhost = '::1'\n")
    settings = load(
        path, {"INKAN_SERVER__PORT": "9001", "PATH": "/bin", "INKAN_HOME": "/srv/inkan"}
    )
    assert settings.server.port == 9001
    assert settings.server.host == "::1"
    assert settings.home_path == Path("/srv/inkan")


def test_an_unknown_variable_is_refused() -> None:
    assert where(None, {**DEMO, "INKAN_SERVER__PROT": "1"}) == "environment"


def test_a_variable_cannot_turn_a_value_into_a_section() -> None:
    wrong = {**DEMO, "INKAN_SERVER": "x", "INKAN_SERVER__PORT": "1"}
    assert where(None, wrong) == "INKAN_SERVER__PORT"


def test_variables_of_other_programs_of_ours_are_left_alone() -> None:
    assert load(None, {**DEMO, "INKAN_REQUIRE_ALL": "1"}).environment is Environment.DEMO


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from a file\n", encoding="utf-8")
    settings = load(None, {**DEMO, "INKAN_KEYS__PASSPHRASE_FILE": str(secret)})
    assert passphrase(settings).reveal() == "from a file"


def test_a_secret_file_that_is_missing_is_named() -> None:
    name = "INKAN_KEYS__PASSPHRASE_FILE"
    assert where(None, {**DEMO, name: "/no/such/file"}) == name


def test_admitted_authorities_are_a_list() -> None:
    both = load(None, {**DEMO, "INKAN_FETCH__ADMITTED": "127.0.0.1:1,127.0.0.1:2"})
    assert both.fetch.admitted == ("127.0.0.1:1", "127.0.0.1:2")
    assert load(None, {**DEMO, "INKAN_FETCH__ADMITTED": ""}).fetch.admitted == ()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"INKAN_ORIGINS__PLATFORM": "http://id.example"}, "origins.platform"),
        ({"INKAN_ORIGINS__PLATFORM": "http://id.localhost"}, "origins.platform"),
        ({"INKAN_ORIGINS__WALLET": "http://wallet.localhost"}, "origins.wallet"),
        ({"INKAN_KEYS__PASSPHRASE": ""}, "keys.passphrase"),
        ({"INKAN_FETCH__ADMITTED": "127.0.0.1:1"}, "fetch.admitted"),
        ({"INKAN_WALLET__SCREENS": "https://tax.example"}, "wallet.screens"),
        ({"INKAN_WALLET__SCREENS": "https://tax.example/"}, "wallet.screens"),
    ],
)
def test_production_is_strict(tmp_path: Path, change: dict[str, str], place: str) -> None:
    assert where(file_of(tmp_path, PRODUCTION), change) == place


CLIENT = """
[[enrolment.card_clients]]
name = {{ en = "cards", ja = "カード", zh-Hant = "卡片" }}
url = "{}"
"""


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://card.example/sign", ""),
        ("http://carddesk.localhost:8483/", "enrolment.card_clients"),
        ("http://card.example/", "the file"),
        ("javascript:alert(1)", "the file"),
        ("https://card.example/#x", "the file"),
        ("https://card.example", "the file"),
    ],
)
def test_a_card_program_answers_by_https_and_keeps_its_fragment_free(
    tmp_path: Path, url: str, place: str
) -> None:
    """Behind the `#` the page puts the request and its secret."""
    path = file_of(tmp_path, PRODUCTION + CLIENT.format(url))
    if place:
        assert where(path, {}) == (str(path) if place == "the file" else place)
    else:
        (client,) = load(path, {}).enrolment.card_clients
        assert (client.url, client.name.in_language("ja")) == (url, "カード")


def test_production_without_a_passphrase_has_no_second_way_in() -> None:
    """Settings that were built in code, past the check of a file."""
    with pytest.raises(SettingsWrong):
        passphrase(Settings())


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "id.localhost",
        "https://",
        "https://id.example/",
        "https://id.example/path",
        "https://id.example?x",
        "https://user@id.example",
        "https://ID.example",
        "https://id.example:443",
        "https://id.example:99999",
        "https://id.example:x",
        "ftp://id.localhost",
        "http://id.localhost.example",
    ],
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    assert where(None, {**DEMO, "INKAN_ORIGINS__PLATFORM": origin}) == "origins.platform"


@pytest.mark.parametrize("port", ["", ":9", ":8480"])
def test_the_wallet_has_a_host_of_its_own(port: str) -> None:
    """Two ports of one host would share cookies and the RP ID of passkeys."""
    same = {**DEMO, "INKAN_ORIGINS__WALLET": f"http://id.localhost{port}"}
    assert where(None, same) == "origins.wallet"


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("SERVER__PORT", "65536", "server.port"),
        ("SERVER__PORT", "-1", "server.port"),
        ("WORKERS__COUNT", "0", "workers.count"),
        ("WORKERS__DEADLINE_S", "0", "workers.deadline_s"),
        ("PKI__CRL_HOURS", "-1", "pki.crl_hours"),
        ("PKI__TIMESTAMPS_PER_MINUTE", "0", "pki.timestamps_per_minute"),
        ("PKI__TIMESTAMP_ACCURACY_MS", "99", "pki.timestamp_accuracy_ms"),
        ("PKI__TIMESTAMP_ACCURACY_MS", "60001", "pki.timestamp_accuracy_ms"),
    ],
)
def test_a_figure_that_no_instance_can_run_on_is_refused(name: str, value: str, place: str) -> None:
    assert where(None, {**DEMO, f"INKAN_{name}": value}) == place


def test_a_drawn_passphrase_is_kept_for_the_owner_alone(tmp_path: Path) -> None:
    settings = Settings(environment=Environment.DEMO, home=str(tmp_path))
    drawn = passphrase(settings).reveal()
    assert len(drawn) >= 43
    assert passphrase(settings).reveal() == drawn
    assert (tmp_path / "passphrase").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://inkan:s3cr3t@db/inkan",
        "postgresql://db/inkan?user=inkan&password=s3cr3t",
        "postgresql://inkan:a@s3cr3t@db/inkan",
    ],
)
def test_the_flat_settings_hold_every_key_and_no_secret(url: str) -> None:
    settings = Settings(keys=Keys(passphrase="s3cr3t"), database=Database(url=url))
    rows = dict(flat(settings))
    assert rows["keys.passphrase"] == '"(hidden)"'
    assert "s3cr3t" not in repr(rows)
    assert "db/inkan" in rows["database.url"]
    assert rows["server.port"] == "8480"
    assert dict(flat(Settings()))["keys.passphrase"] == '""'


FOREIGN = """
environment = "demo"
[[cards.authorities]]
name = "national"
chain = ["issuing.cer", "root.cer"]
policies = ["2.16.886.1"]
origins = ["http://pki.example.org", "https://ocsp.example.org:8443"]
"""


def test_a_card_authority_is_a_table_of_the_file(tmp_path: Path) -> None:
    (authority,) = load(file_of(tmp_path, FOREIGN), {}).cards.authorities
    assert (authority.name, authority.profile) == ("national", "card-sign")
    assert authority.origins == ("http://pki.example.org", "https://ocsp.example.org:8443")
    assert load(None, DEMO).cards.authorities == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"national"', '"National"'),
        ('"national"', '"foreign.national"'),
        ('["issuing.cer", "root.cer"]', "[]"),
        ('["2.16.886.1"]', "[]"),
        ('["2.16.886.1"]', '["card_sign"]'),
        ('"http://pki.example.org", "https://ocsp.example.org:8443"', ""),
        ("name", "title"),
        ('name = "national"', 'name = "national"\nprofile = "phone-auth"'),
    ],
)
def test_a_card_authority_that_says_too_little_or_something_else(
    tmp_path: Path, old: str, new: str
) -> None:
    path = file_of(tmp_path, FOREIGN.replace(old, new, 1))
    assert where(path, {}) == str(path)


@pytest.mark.parametrize(
    "origin",
    [
        "http://pki.example.org/",
        "http://pki.example.org/crl",
        "http://pki.example.org:80",
        "ldap://pki.example.org",
        "http://PKI.example.org",
        "http://a@pki.example.org",
        "*",
    ],
)
def test_the_origin_of_a_status_service_is_an_origin(tmp_path: Path, origin: str) -> None:
    path = file_of(tmp_path, FOREIGN.replace("http://pki.example.org", origin))
    assert where(path, {}) == "cards.authorities.national.origins"


def test_two_card_authorities_of_one_name(tmp_path: Path) -> None:
    table = FOREIGN.partition("\n[[")[2]
    path = file_of(tmp_path, f"{FOREIGN}[[{table}")
    assert where(path, {}) == "cards.authorities"
