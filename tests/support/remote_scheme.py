"""A rule set that allows keys outside the phone, as a hospital's window may (HCA-26); shipped ones that do not exist yet."""

from importlib.resources import files

import msgspec
import pytest

from inkan.schemes import Scheme, all_schemes, load_scheme, rules

NAME = "test-window"


def remote_scheme() -> Scheme:
    """Taiwan's rule set with P-256 keys, five phones and every back end."""
    text = (files("inkan.schemes") / "tw-citizen.toml").read_text(encoding="utf-8")
    scheme = load_scheme(text)
    phone = msgspec.structs.replace(
        scheme.phone, slots=5, key_spec="P-256", jws_algs=("ES256",), keys_made_on_phone=False
    )
    changed = msgspec.structs.replace(scheme, name=NAME, key_backends=("A", "B", "C"), phone=phone)
    return rules.verify_ceilings(changed)


def ship_remote_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be one of the shipped schemes."""
    schemes = {**all_schemes(), NAME: remote_scheme()}
    monkeypatch.setattr(rules, "_shipped", lambda: schemes)
