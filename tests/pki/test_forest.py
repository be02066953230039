"""The picture of the authorities: every certificate exactly once, whatever they certify."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.pki.model import Authority, Role
from inkan.pki.pages.texts import ROLES
from inkan.pki.service.forest import Forest, Place, Tree, draw
from inkan.pki.service.hierarchy import PublicURLs
from pki.hierarchies import across, row, shuffled_circle
from support import pki

URLS = PublicURLs(origin="https://id.example")
ACROSS = across()


def shape(trees: tuple[Tree, ...]) -> dict[str, object]:
    return {f"{tree.name}:{tree.place}": shape(tree.below) for tree in trees}


@pytest.mark.req("JPKI-38")
def test_roots_a_bridge_and_crosses_stand_where_they_belong() -> None:
    assert shape(draw(ACROSS, URLS).trees) == {
        "bridge:root": {"bridge-to-a:cross": {}, "bridge-to-b:cross": {}},
        "root-a:root": {
            "a-to-bridge:cross": {},
            "cards:authority": {"cards-ocsp:signer": {}},
        },
        "root-a-old:root": {"link:cross": {}},
        "root-b:root": {"phones:authority": {}},
    }


@given(st.permutations(ACROSS))
def test_the_order_of_the_register_does_not_matter(rows: list[Authority]) -> None:
    assert draw(rows, URLS) == draw(ACROSS, URLS)


@given(st.sets(st.sampled_from(range(len(ACROSS)))))
def test_every_certificate_stands_once_even_if_its_issuer_is_missing(chosen: set[int]) -> None:
    rows = [ACROSS[each] for each in sorted(chosen)]
    names = [tree.name for tree in draw(rows, URLS).all()]
    assert sorted(names) == sorted(each.name for each in rows)


def test_a_circle_without_a_root_is_drawn_from_one_of_its_members() -> None:
    assert shape(draw(shuffled_circle(), URLS).trees) == {
        "first:authority": {"second:authority": {}}
    }


def test_an_empty_register_is_an_empty_picture() -> None:
    assert draw([], URLS) == Forest(())


def test_the_addresses_are_those_of_the_services() -> None:
    found = {tree.name: tree for tree in draw(ACROSS, URLS).all()}
    cards = found["cards"]
    assert (cards.crl, cards.crl_shards) == ("https://id.example/crl/cards/0.crl", 16)
    assert cards.ocsp == "https://id.example/ocsp/cards"
    assert found["phones"].ocsp == ""
    assert found["cards-ocsp"].crl == ""


def test_a_certificate_is_found_by_its_bytes_alone() -> None:
    forest = draw(ACROSS, URLS)
    for each in ACROSS:
        found = forest.find(each.certificate)
        assert found is not None
        assert found.name == each.name
    twin = row("twin", pki.Authority.root("Root A"), Role.ROOT)
    assert forest.find(twin.certificate) is None
    assert forest.find(b"") is None


def test_a_thumbprint_is_printed_in_sixteen_groups_of_four() -> None:
    for tree in draw(ACROSS, URLS).all():
        assert "".join(tree.groups).lower() == tree.thumbprint
        assert {len(group) for group in tree.groups} == {4}
        assert len(tree.groups) == 16


def test_every_role_and_place_has_words() -> None:
    assert set(Role) <= set(ROLES)
    assert {tree.place for tree in draw(ACROSS, URLS).all()} == set(Place)


def test_same_names_with_other_keys_are_other_authorities() -> None:
    twins = [row(f"twin-{n}", pki.Authority.root("Twin"), Role.ROOT) for n in range(3)]
    below = [row(f"below-{n}", made) for n, made in enumerate(_below())]
    names = itertools.chain(*(tree.below for tree in draw([*twins, *below], URLS).trees))
    assert list(names) == []


def _below() -> list[pki.Authority]:
    return [pki.Authority.root("Twin").subordinate(f"Below {n}") for n in range(2)]
