"""Every object identifier of the arc has a number and a meaning of its own."""

from inkan.crypto import oids


def test_every_identifier_of_the_arc_has_its_own_number_and_meaning() -> None:
    given_away = [
        v for n, v in vars(oids).items() if n.isupper() and isinstance(v, str) and n != "ARC"
    ]
    own = [oid for oid in given_away if oid != oids.ANY_POLICY]
    assert len(own) == len(set(own))
    assert set(own) == set(oids.MEANINGS)
    assert all(oid.startswith(f"{oids.ARC}.") for oid in own)
    assert set(oids.POLICIES.values()) <= {*oids.MEANINGS, oids.ANY_POLICY}
