"""``acr`` and ``amr`` say what the session shows, and nothing more."""

import pytest

from federation.asking import VIEW, asked
from inkan.federation.rules.levels import AMR_ROWS
from inkan.federation.service.levels import (
    ACR_VALUES,
    acr_of,
    amr_of,
    binding_min,
    meets,
    told,
)
from inkan.wire.binding import BindingLevel

REUSED, NONE, MATCHED, PAIRED, RETURNED, STRONG = ACR_VALUES
RFC_8176 = {
    *("face", "fpt", "geo", "hwk", "iris", "kba", "mca", "mfa", "otp", "pin", "pop", "pwd"),
    *("rba", "retina", "sc", "sms", "swk", "tel", "user", "vbm", "wia"),
}


@pytest.mark.parametrize("level", BindingLevel)
def test_the_value_names_the_level_reached(level: BindingLevel):
    view = VIEW | {"binding": {"level": str(level), "evidence": []}}
    assert acr_of(view) == f"urn:inkan:acr:uv:{level}"
    assert acr_of(view, reused=True) == REUSED


def test_values_are_in_the_order_of_the_levels():
    assert [value.rpartition(":")[2] for value in ACR_VALUES] == ["reused", *map(str, BindingLevel)]
    assert not any("loa" in value or "eidas" in value for value in ACR_VALUES)


def test_a_demand_is_met_by_it_or_a_stronger_one():
    assert meets(MATCHED, [MATCHED])
    assert meets(STRONG, [MATCHED])
    assert not meets(NONE, [MATCHED])
    assert not meets(REUSED, [NONE])
    assert meets(NONE, [STRONG, NONE])
    assert meets(REUSED, [])
    assert not meets(STRONG, ["urn:mace:incommon:iap:silver"])
    assert not meets("", [REUSED])


def test_the_client_hears_a_value_that_it_demanded():
    assert told(STRONG, [MATCHED, RETURNED]) == RETURNED
    assert told(STRONG, []) == STRONG
    assert told(NONE, [MATCHED]) == NONE
    assert told(MATCHED, ["phr", MATCHED]) == MATCHED


def test_an_essential_demand_reaches_the_session():
    assert binding_min(asked()) is None
    assert binding_min(asked(essential_acr=[STRONG, PAIRED])) is BindingLevel.PAIRED
    assert binding_min(asked(essential_acr=["phr"])) is None
    assert binding_min(asked(essential_acr=[REUSED, STRONG])) is None


def test_methods_are_those_of_the_registry():
    assert {row.value for row in AMR_ROWS} <= RFC_8176
    assert all(row.source for row in AMR_ROWS)


def test_a_declared_key_is_neither_hardware_nor_software():
    for back_end in ("A", "B", "C", "plain"):
        methods = amr_of(VIEW | {"back_end": back_end})
        assert methods == ["pop", "user", "mfa", "mca"]


def test_an_attested_one_is():
    assert "hwk" in amr_of(VIEW | {"attested": True})
    assert "hwk" not in amr_of(VIEW | {"attested": None})


def test_digits_are_a_second_channel_and_a_scan_is_not():
    assert "mca" in amr_of(VIEW)
    scanned = VIEW | {"binding": {"level": "none", "evidence": ["browser_bound"]}}
    assert "mca" not in amr_of(scanned)


@pytest.mark.parametrize("outcome", ["refused", "failed", "blocked", None])
def test_who_did_not_agree_used_no_method(outcome: str | None):
    assert amr_of(VIEW | {"outcome": outcome}) == []
