"""Client secrets: kept as hashes, compared in one time."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from inkan.relying_parties import OpenIDRegistration
from inkan.relying_parties.service import client_secrets
from inkan.relying_parties.service.client_secrets import is_secret, secret_hash, with_kept_secret


@given(st.text(), st.text())
def test_a_secret_is_itself_alone(secret, other):
    assert is_secret(secret, secret_hash(secret))
    assert is_secret(other, secret_hash(secret)) == (other == secret)


@given(st.text())
def test_without_a_registered_one_nothing_is_the_secret(secret):
    assert not is_secret(secret, "")


def test_an_unknown_client_is_compared_with_too(monkeypatch):
    compared = []

    def compare(one, two):
        compared.append((one, two))
        return True

    monkeypatch.setattr(client_secrets.hmac, "compare_digest", compare)
    assert not is_secret("x", "")
    assert len(compared[0][0]) == len(compared[0][1]) == 43


def test_what_a_new_registration_leaves_of_the_secret():
    kept = secret_hash("x")
    before = OpenIDRegistration(
        purpose="login", token_endpoint_auth_method="client_secret_post", client_secret_sha256=kept
    )
    row = msgspec.to_builtins(before)
    new = msgspec.structs.replace(before, client_secret_sha256="")
    assert with_kept_secret(new, row) == before
    keyed = msgspec.structs.replace(new, token_endpoint_auth_method="private_key_jwt")
    assert with_kept_secret(keyed, row) == keyed
    said = msgspec.structs.replace(before, client_secret_sha256=secret_hash("y"))
    assert with_kept_secret(said, row) == said
    assert with_kept_secret(None, row) is None
    assert with_kept_secret(new, None) == new
