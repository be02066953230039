"""Revocation lists: who signs them, what they cover, when they count (PKITS 4.4, 4.14; RFC 5280 §6.3.3)."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from inkan.crypto.path import RevocationReason
from inkan.crypto.validation.settings import Evidence, Reach, Require
from inkan.crypto.validation.verdict import Reason, Status
from support.paths import AT, DAY, HOUR, Entity, dn, key_id, point, resign, uri, verdict

SECOND = timedelta(seconds=1)
SHARD, OTHER = (uri(f"http://pki.localhost/crl/{number}.crl") for number in (7, 8))
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.9.9"), b"\x05\x00")
FLAG = x509.ReasonFlags
SOME = frozenset({FLAG.key_compromise, FLAG.ca_compromise})
REST = frozenset(FLAG) - SOME - {FLAG.unspecified, FLAG.remove_from_crl}


@pytest.fixture(scope="module")
def root():
    return Entity("Root")


@pytest.fixture(scope="module")
def ca(root):
    return root.ca("CA")


@pytest.fixture(scope="module")
def ask(root, ca):
    def ask(holder, *crls, **bent):
        return verdict(holder, root, known=[ca], crls=[root.crl(), *crls], **bent).reason

    return ask


GOOD, REVOKED, UNKNOWN_STATUS = Reason.OK, Reason.REVOKED, Reason.REVOCATION_UNKNOWN


# --- 4.4 lists ----------------------------------------------------------------------------------------


def test_a_missing_list_leaves_the_question_open(root, ca):
    answer = verdict(ca.holder(), root, known=[ca], crls=[root.crl()])
    assert (answer.status, answer.reason) == (Status.INDETERMINATE, UNKNOWN_STATUS)
    assert answer.facts["certificate"] == answer.path[0].sha256


@pytest.mark.req("HCA-19")
def test_a_revoked_authority_and_a_revoked_holder(root, ca):
    holder = ca.holder()
    crls = [root.crl(ca), ca.crl()]
    assert verdict(holder, root, known=[ca], crls=crls).reason is REVOKED
    answer = verdict(
        holder, root, known=[ca], crls=[root.crl(), ca.crl(holder, reason="keyCompromise")]
    )
    assert answer.reason is REVOKED
    assert answer.facts["revocation_reason"] == "keyCompromise"
    assert answer.facts["revoked_at"] == AT - 2 * HOUR


@pytest.mark.parametrize("reason", [None, *RevocationReason])
def test_every_reason_is_told(root, reason):
    holder = root.holder()
    named = None if reason in {None, RevocationReason.UNSPECIFIED} else reason.value
    answer = verdict(holder, root, crls=[root.crl(holder, reason=named)])
    assert answer.facts["revocation_reason"] == (reason or RevocationReason.UNSPECIFIED)


def test_a_wrong_signature_or_a_wrong_name_makes_no_list(ca, ask):
    holder, good = ca.holder(), ca.crl()
    assert ask(holder, good) is GOOD
    assert ask(holder, good[:-1] + bytes([good[-1] ^ 1])) is UNKNOWN_STATUS
    assert ask(holder, ca.crl(name=dn("Another"))) is UNKNOWN_STATUS
    assert ask(holder, Entity("CA").crl(holder)) is UNKNOWN_STATUS


def test_unknown_extensions_of_a_list_and_of_its_entries(ca, ask):
    holder, other = ca.holder(), ca.holder()
    assert ask(holder, ca.crl(extra=[(UNKNOWN, False)])) is GOOD
    assert ask(holder, ca.crl(extra=[(UNKNOWN, True)])) is UNKNOWN_STATUS
    assert ask(holder, ca.crl(other, entry_extra=[(UNKNOWN, False)])) is GOOD
    assert ask(holder, ca.crl(other, entry_extra=[(UNKNOWN, True)])) is UNKNOWN_STATUS
    assert ask(holder, ca.crl(holder, entry_extra=[(UNKNOWN, True)])) is UNKNOWN_STATUS


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        (AT - HOUR, AT - SECOND, UNKNOWN_STATUS),
        (AT - HOUR, AT, GOOD),
        (AT, AT + HOUR, GOOD),
        (AT + SECOND, AT + HOUR, UNKNOWN_STATUS),
        (AT - HOUR, datetime(2051, 1, 1, tzinfo=UTC), GOOD),
        (datetime(1970, 1, 1, tzinfo=UTC), datetime(1999, 1, 1, tzinfo=UTC), UNKNOWN_STATUS),
    ],
)
def test_terms_of_lists(ca, ask, start, end, reason):
    assert ask(ca.holder(), ca.crl(start=start, end=end)) is reason


def test_a_negative_serial_number_is_another_number(ca, ask):
    """PKITS 4.4.14: the list names −1, whose octet is that of the holder's 255."""
    crl = resign(ca.crl(0x7F, number=9), b"\x02\x01\x7f", b"\x02\x01\xff", ca.key)
    assert ask(ca.holder(serial=255), crl) is GOOD
    crl = ca.crl(255)
    assert ask(ca.holder(serial=255), crl) is REVOKED


def test_long_serial_numbers(ca, ask):
    long = 2**159 - 1
    assert ask(ca.holder(serial=long), ca.crl(long)) is REVOKED
    assert ask(ca.holder(serial=long), ca.crl(long - 1)) is GOOD


def test_the_newest_list_of_a_scope_speaks(ca, ask):
    holder = ca.holder()
    old = ca.crl(holder, number=1, start=AT - 2 * HOUR, reason="certificateHold")
    new = ca.crl(number=2)
    assert ask(holder, old, new) is GOOD
    assert ask(holder, ca.crl(number=1, start=AT - 2 * HOUR), ca.crl(holder, number=2)) is REVOKED
    forged = Entity("CA").crl(number=99, aki=key_id(ca.key))
    assert ask(holder, ca.crl(holder, number=2), forged) is REVOKED


def test_a_list_that_cannot_be_read_might_be_the_one(ca, ask):
    assert ask(ca.holder(), ca.crl(), b"\x30\x03\x02\x01\x00") is Reason.EVIDENCE_MALFORMED


def test_only_the_kinds_that_are_required_are_looked_at(root, ca):
    holder = ca.holder()
    crls = [root.crl(), ca.crl(holder), b"junk"]
    for evidence, reason in ((Evidence.NONE, GOOD), (Evidence.OCSP, UNKNOWN_STATUS)):
        answer = verdict(holder, root, known=[ca], crls=crls, evidence=evidence)
        assert answer.reason is reason


def test_the_reach_may_be_the_holder_alone(root, ca):
    holder, require = ca.holder(), Require(evidence=Evidence.CRL, reach=Reach.LEAF)
    fields = {"known": [ca], "require": require}
    assert verdict(holder, root, crls=[ca.crl()], **fields).reason is GOOD
    assert verdict(holder, root, crls=[root.crl()], **fields).reason is UNKNOWN_STATUS
    assert verdict(holder, root, crls=[root.crl(ca), ca.crl()], **fields).reason is REVOKED


def test_numbers_and_key_identifiers_are_demanded_by_the_strict(ca, ask):
    holder, bare = ca.holder(), ca.crl(number=None)
    assert ask(holder, bare) is GOOD
    assert ask(holder, bare, strict=True) is UNKNOWN_STATUS


# --- 4.14 distribution points -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "full", "reason"),
    [
        ([point(SHARD)], [SHARD], GOOD),
        ([point(SHARD)], None, GOOD),
        ([point(SHARD)], [OTHER], UNKNOWN_STATUS),
        ([point(OTHER, SHARD)], [SHARD], GOOD),
        ([point(OTHER), point(SHARD)], [SHARD], GOOD),
        (None, [SHARD], UNKNOWN_STATUS),
        (None, [x509.DirectoryName(dn("CA"))], GOOD),
        ([point(x509.DirectoryName(dn("Place")))], [x509.DirectoryName(dn(" PLACE"))], GOOD),
    ],
)
def test_the_shard_is_the_one_that_the_certificate_names(ca, ask, points, full, reason):
    holder = ca.holder(points=points)
    assert ask(holder, ca.crl(full=full)) is reason
    revoked = ca.crl(holder, full=full)
    assert ask(holder, revoked) is (REVOKED if reason is GOOD else UNKNOWN_STATUS)


def test_names_relative_to_the_issuer(ca, ask):
    part = x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, "Shard 7")])
    whole = x509.DirectoryName(x509.Name([*ca.name, *part]))
    for points, bent in (
        ([point(relative=part)], {"relative": part}),
        ([point(relative=part)], {"full": [whole]}),
        ([point(whole)], {"relative": part}),
    ):
        holder = ca.holder(points=points)
        assert ask(holder, ca.crl(**bent)) is GOOD
    other = x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, "Shard 8")])
    assert ask(ca.holder(points=[point(relative=part)]), ca.crl(relative=other)) is UNKNOWN_STATUS


@pytest.mark.parametrize(
    ("bent", "holder", "authority"),
    [
        ({"user": True}, GOOD, UNKNOWN_STATUS),
        ({"authority": True}, UNKNOWN_STATUS, GOOD),
        ({"attribute": True}, UNKNOWN_STATUS, UNKNOWN_STATUS),
    ],
)
def test_lists_of_some_kinds_of_certificates(ca, ask, bent, holder, authority):
    assert ask(ca.holder(), ca.crl(**bent)) is holder
    assert ask(ca.ca("Sub"), ca.crl(**bent)) is authority


def test_reasons_have_to_be_covered_together(ca, ask):
    holder = ca.holder()
    some, rest = ca.crl(reasons=SOME, number=1), ca.crl(reasons=REST, number=2)
    assert ask(holder, some) is UNKNOWN_STATUS
    assert ask(holder, some, rest) is GOOD
    assert ask(holder, ca.crl(holder, reasons=SOME, reason="keyCompromise"), rest) is REVOKED
    assert ask(holder, some, ca.crl(holder, reasons=REST, reason="superseded")) is REVOKED
    by_point = ca.holder(points=[point(SHARD, reasons=SOME), point(OTHER, reasons=REST)])
    first, second = ca.crl(full=[SHARD]), ca.crl(full=[OTHER])
    assert ask(by_point, first) is UNKNOWN_STATUS
    assert ask(by_point, first, second) is GOOD


# --- indirect lists -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def other(root):
    """Signs lists for the authority of this module."""
    return root.ca("List authority")


def indirect_holder(ca, other, **bent):
    names = [x509.DirectoryName(other.name)]
    return ca.holder(points=[point(SHARD, issuers=names)], **bent)


def test_a_list_of_another_authority_where_the_certificate_names_it(root, ca, other):
    holder, known = indirect_holder(ca, other), [ca, other]

    def ask(*crls, **bent):
        return verdict(holder, root, known=known, crls=[root.crl(), *crls], **bent).reason

    assert ask(other.crl(full=[SHARD], indirect=True)) is GOOD
    assert ask(other.crl(full=[OTHER], indirect=True)) is UNKNOWN_STATUS
    assert ask(other.crl(full=[SHARD])) is UNKNOWN_STATUS
    assert ask(other.crl((holder.serial, ca.name), indirect=True)) is REVOKED
    # The same serial number of another issuer is another certificate.
    assert ask(other.crl(holder.serial, indirect=True)) is GOOD
    # An entry without a name belongs to the issuer of the entry before it.
    following = other.crl((1, ca.name), holder.serial, indirect=True)
    assert ask(following) is REVOKED
    refused = Require(evidence=Evidence.CRL)
    assert ask(other.crl(full=[SHARD], indirect=True), require=refused) is UNKNOWN_STATUS


def test_a_list_of_another_authority_that_nobody_named(root, ca, other):
    crls = [root.crl(), other.crl(indirect=True)]
    assert verdict(ca.holder(), root, known=[ca, other], crls=crls).reason is UNKNOWN_STATUS


def test_the_other_authority_is_itself_below_the_anchor_and_unrevoked(root, ca, other):
    holder, indirect = indirect_holder(ca, other), other.crl(full=[SHARD], indirect=True)
    crls = [root.crl(other), indirect]
    assert verdict(holder, root, known=[ca, other], crls=crls).reason is UNKNOWN_STATUS
    crls = [root.crl(), indirect]
    assert verdict(holder, root, known=[ca], crls=crls).reason is UNKNOWN_STATUS


def test_a_signer_whose_status_stands_on_its_own_list_by_the_word_of_its_issuer(root, ca):
    """PKITS 4.14.30: the authority issues no lists; the list authority's own certificate names the indirect list."""
    name = dn("Signer")
    names = [x509.DirectoryName(name)]
    points = [point(SHARD, issuers=names)]
    signer = ca.holder(name=name, bits=("crl_sign",), points=points)
    holder = ca.holder(points=points)

    def ask(*listed, known=(ca, signer)):
        crls = [root.crl(), signer.crl(*listed, full=[SHARD], indirect=True)]
        return verdict(holder, root, known=known, crls=crls).reason

    assert ask() is GOOD
    assert ask((holder.serial, ca.name)) is REVOKED
    assert ask((signer.serial, ca.name)) is UNKNOWN_STATUS
    unnamed = ca.holder(name=name, key=signer.key, bits=("crl_sign",))
    assert ask(known=(ca, unnamed)) is UNKNOWN_STATUS


# --- 4.15 deltas --------------------------------------------------------------------------------------

DELTA = "http://pki.localhost/crl/delta.crl"


def test_a_delta_is_no_list_by_itself(ca, ask):
    assert ask(ca.holder(), ca.crl(base=1, number=2)) is UNKNOWN_STATUS


def test_a_delta_adds_and_takes_away(ca, ask):
    holder = ca.holder()
    clean, held = ca.crl(number=5), ca.crl(holder, number=5, reason="certificateHold")
    adding = ca.crl(holder, base=5, number=6)
    removing = ca.crl(holder, base=5, number=6, reason="removeFromCRL")
    silent = ca.crl(base=5, number=6)
    assert ask(holder, clean, silent) is GOOD
    assert ask(holder, clean, adding) is REVOKED
    assert ask(holder, held, silent) is REVOKED
    assert ask(holder, held, removing) is GOOD


@pytest.mark.parametrize(
    "bent",
    [
        {"base": 7},
        {"full": [SHARD]},
        {"end": AT - SECOND},
        {"aki": b"another key"},
        {"name": dn("Another")},
        {"number": None},
        {"extra": [(UNKNOWN, True)]},
    ],
)
def test_a_delta_that_does_not_fit_is_not_joined(ca, ask, bent):
    """A removal that does not fit takes nothing away."""
    holder = ca.holder()
    held = ca.crl(holder, number=5, reason="certificateHold")
    delta = {"base": 5, "number": 6, "reason": "removeFromCRL"} | bent
    assert ask(holder, held, ca.crl(holder, **delta)) is REVOKED
    forged = Entity("CA").crl(holder, base=5, number=6, reason="removeFromCRL", aki=key_id(ca.key))
    assert ask(holder, held, forged) is REVOKED


def test_the_newest_delta_speaks_and_an_older_one_than_the_list_does_not(ca, ask):
    holder = ca.holder()
    first, second = ca.crl(holder, base=5, number=6), ca.crl(base=5, number=7)
    assert ask(holder, ca.crl(number=5), first, second) is GOOD
    assert ask(holder, ca.crl(number=8), first) is GOOD
    assert ask(holder, ca.crl(number=6, freshest=DELTA), first) is GOOD


@pytest.mark.parametrize("where", ["list", "certificate"])
def test_a_delta_that_is_named_has_to_be_there(ca, ask, where):
    """Whoever names it: the list (FreshestCRL of the base) or only the certificate."""
    holder = ca.holder(freshest=DELTA if where == "certificate" else None)
    base = ca.crl(number=5, freshest=DELTA if where == "list" else None)
    stale = ca.crl(base=5, number=6, end=AT - SECOND)
    assert ask(holder, base) is UNKNOWN_STATUS
    assert ask(holder, base, stale) is UNKNOWN_STATUS
    assert ask(holder, base, ca.crl(base=5, number=6)) is GOOD
    assert ask(holder, base, ca.crl(holder, base=5, number=6)) is REVOKED
    lenient = Require(evidence=Evidence.CRL, delta=False)
    assert ask(holder, base, require=lenient) is GOOD


def test_delta_of_a_shard(ca, ask):
    holder = ca.holder(points=[point(SHARD)])
    base = ca.crl(number=5, full=[SHARD], freshest=DELTA)
    assert ask(holder, base, ca.crl(holder, base=5, number=6, full=[SHARD])) is REVOKED
    assert ask(holder, base, ca.crl(holder, base=5, number=6, full=[OTHER])) is UNKNOWN_STATUS
    assert ask(holder, base, ca.crl(base=4, number=6, full=[SHARD], end=AT + DAY)) is GOOD
