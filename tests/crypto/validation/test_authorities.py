"""Who may issue: basic constraints, path lengths, key usage, self-issued certificates (PKITS 4.5 to 4.7)."""

import pytest
from cryptography import x509

from inkan.crypto.validation.settings import Evidence
from inkan.crypto.validation.verdict import Reason
from support.keyring import ec_key
from support.paths import Entity, point, uri, verdict


@pytest.fixture(scope="module")
def root():
    return Entity("Root")


def chain(root, *lengths, self_issued=()):
    """Authorities below one another with these path lengths; indexes in ``self_issued`` repeat the name above."""
    made, issuer = [], root
    for index, length in enumerate(lengths):
        name = issuer.name if index in self_issued else None
        issuer = issuer.ca(f"CA {index}", path_length=length, name=name)
        made.append(issuer)
    return made


# --- 4.6 basic constraints ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bent", "reason"),
    [
        ({}, Reason.OK),
        ({"basic_critical": False}, Reason.OK),
        ({"basic": None}, Reason.NOT_AUTHORITY),
        ({"basic": x509.BasicConstraints(ca=False, path_length=None)}, Reason.NOT_AUTHORITY),
        (
            {"basic": x509.BasicConstraints(ca=False, path_length=None), "basic_critical": False},
            Reason.NOT_AUTHORITY,
        ),
    ],
)
def test_an_authority_says_that_it_is_one(root, bent, reason):
    ca = root.ca(**bent)
    assert verdict(ca.holder(), root, known=[ca]).reason is reason


@pytest.mark.parametrize(
    ("lengths", "reason"),
    [
        ((0,), Reason.OK),
        ((0, None), Reason.PATH_LENGTH),
        ((0, 0), Reason.PATH_LENGTH),
        ((1, 0), Reason.OK),
        ((6, 0, 0), Reason.PATH_LENGTH),
        ((6, 1, None), Reason.OK),
        ((6, 4, 1, 0), Reason.OK),
        ((6, 1, 1, 0), Reason.PATH_LENGTH),
        ((6, 6, 6, 6), Reason.OK),
    ],
)
def test_path_lengths(root, lengths, reason):
    made = chain(root, *lengths)
    assert verdict(made[-1].holder(), root, known=made).reason is reason
    # An authority's certificate as the last one counts no deeper than a holder's (§4.2.1.9).
    last = made[-1].ca("Last")
    assert verdict(last, root, known=made).reason is reason


def test_self_issued_certificates_do_not_count(root):
    made = chain(root, 0, None, self_issued={1})
    assert verdict(made[-1].holder(), root, known=made).reason is Reason.OK
    made = chain(root, 1, None, None, self_issued={1})
    assert verdict(made[-1].holder(), root, known=made).reason is Reason.OK
    made = chain(root, 0, None, None, self_issued={1})
    assert verdict(made[-1].holder(), root, known=made).reason is Reason.PATH_LENGTH


def test_the_anchor_restricts_too():
    root = Entity("Root", path_length=0)
    ca = root.ca()
    assert verdict(root.holder(), root).reason is Reason.OK
    assert verdict(ca.holder(), root, known=[ca]).reason is Reason.PATH_LENGTH
    nobody = Entity("Nobody", ca=False)
    assert verdict(nobody.holder(), nobody).reason is Reason.NOT_AUTHORITY


# --- 4.7 key usage ------------------------------------------------------------------------------------


@pytest.mark.parametrize("critical", [False, True])
def test_an_authority_without_key_cert_sign(root, critical):
    ca = root.ca(bits=("crl_sign", "digital_signature"), bits_critical=critical)
    assert verdict(ca.holder(), root, known=[ca]).reason is Reason.ISSUER_KEY_USAGE


@pytest.mark.parametrize("critical", [False, True])
def test_an_authority_without_crl_sign(root, critical):
    ca = root.ca(bits=("key_cert_sign",), bits_critical=critical)
    crls = [root.crl(), ca.crl()]
    assert verdict(ca.holder(), root, known=[ca]).reason is Reason.OK
    assert verdict(ca.holder(), root, known=[ca], crls=crls).reason is Reason.REVOCATION_UNKNOWN


def test_no_key_usage_admits_everything(root):
    ca = root.ca(bits=None)
    answer = verdict(ca.holder(), root, known=[ca], crls=[root.crl(), ca.crl()])
    assert answer.reason is Reason.OK


# --- 4.5 self-issued: a new key, and a key for lists alone --------------------------------------------


@pytest.fixture(scope="module")
def roll(root):
    """An authority that changed its key: old, new, and the link certificates between them."""
    old = root.ca("Rolling", key=ec_key(61))
    new = root.ca("Rolling", key=ec_key(62))
    new_by_old = old.ca(key=new.key, name=old.name)
    old_by_new = new.ca(key=old.key, name=old.name)
    return old, new, new_by_old, old_by_new


def test_a_holder_of_the_old_key_is_found_through_the_new(root, roll):
    old, new, _, old_by_new = roll
    answer = verdict(old.holder(), root, known=[new, old_by_new])
    assert answer.reason is Reason.OK
    assert len(answer.path) == 4


def test_a_holder_of_the_new_key_is_found_through_the_old(root, roll):
    old, new, new_by_old, _ = roll
    assert verdict(new.holder(), root, known=[old, new_by_old]).reason is Reason.OK


def test_a_list_by_the_new_key_covers_certificates_by_the_old(root, roll):
    old, new, _, _ = roll
    holder, lost = old.holder(), old.holder()
    known, crls = [old, new], [root.crl(), new.crl(lost)]
    assert verdict(holder, root, known=known, crls=crls).reason is Reason.OK
    assert verdict(lost, root, known=known, crls=crls).reason is Reason.REVOKED


def test_a_key_for_lists_alone(root):
    """PKITS 4.4.19 to 21, 4.5.6 to 8."""
    ca = root.ca("Split", bits=("key_cert_sign",))
    lists = root.ca("Split", bits=("crl_sign",))
    holder, lost = ca.holder(), ca.holder()
    known, crls = [ca, lists], [root.crl(), lists.crl(lost)]
    assert verdict(holder, root, known=known, crls=crls).reason is Reason.OK
    assert verdict(lost, root, known=known, crls=crls).reason is Reason.REVOKED
    issued_by_it = Entity("Holder", issuer=lists, ca=False)
    answer = verdict(issued_by_it, root, known=known, crls=crls)
    assert answer.reason in {Reason.ISSUER_KEY_USAGE, Reason.NO_PATH}
    revoked = [root.crl(lists), lists.crl()]
    assert verdict(holder, root, known=known, crls=revoked).reason is Reason.REVOCATION_UNKNOWN


def test_a_namesake_that_may_not_sign_lists(root):
    ca, namesake = (root.ca("Split", bits=("key_cert_sign",)) for _ in range(2))
    crls = [root.crl(), namesake.crl()]
    answer = verdict(ca.holder(), root, known=[ca, namesake], crls=crls)
    assert answer.reason is Reason.REVOCATION_UNKNOWN


def test_a_list_does_not_vouch_for_its_own_signer(root):
    where = uri("http://pki.localhost/signer.crl")
    ca = root.ca("Self", bits=("key_cert_sign",))
    lists = ca.ca(name=ca.name, bits=("crl_sign",), points=[point(where)])
    holder = ca.holder()
    known = [ca, lists]
    circular = [root.crl(), lists.crl()]
    assert verdict(holder, root, known=known, crls=circular).reason is Reason.REVOCATION_UNKNOWN
    # A third key, whose own certificate the root's list covers, speaks for the signer.
    third = root.ca("Self", bits=("crl_sign",), key=ec_key(63))
    crls = [root.crl(), lists.crl(user=True), third.crl(authority=True)]
    assert verdict(holder, root, known=[*known, third], crls=crls).reason is Reason.OK


def test_a_list_of_a_namesake_under_another_anchor_is_none(root):
    other = Entity("Other root")
    ca = root.ca("Namesake")
    stranger = other.ca("Namesake")
    answer = verdict(
        ca.holder(),
        root,
        other,
        known=[ca, stranger],
        crls=[root.crl(), other.crl(), stranger.crl()],
    )
    assert answer.reason is Reason.REVOCATION_UNKNOWN


def test_a_holder_of_the_authority_signs_no_lists(root):
    ca = root.ca("Mother")
    sibling = ca.holder(bits=("digital_signature", "crl_sign"))
    forged = ca.crl(signer=sibling.key)
    answer = verdict(
        ca.holder(), root, known=[ca, sibling], crls=[root.crl(), forged], evidence=Evidence.CRL
    )
    assert answer.reason is Reason.REVOCATION_UNKNOWN
