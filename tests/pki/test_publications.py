"""CP and CPS: every edition is published, says who approved it, and is named by the certificates."""

import pytest
from cryptography import x509

from inkan.crypto import oids
from inkan.pki.service.publications import (
    DocumentName,
    EditionUnknown,
    editions,
    find_edition,
    read_edition,
)
from pki.hands import fetch, issue


@pytest.mark.req("TW-18")
@pytest.mark.parametrize("name", list(DocumentName))
def test_every_document_has_editions_that_say_who_approved_them(name: DocumentName) -> None:
    for edition in editions()[name]:
        assert edition.document is name
        assert edition.approval
        assert find_edition(name, edition.version) == edition
    assert find_edition(name) == editions()[name][0]
    with pytest.raises(EditionUnknown):
        find_edition(name, "0.0")


@pytest.mark.parametrize("text", ["", "# A text", "---\ndocument: cps\n---\n", "---\nx\n---\n"])
def test_a_file_that_does_not_say_what_it_is_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_edition(text)


def test_the_policy_names_every_identifier_of_a_certificate_policy() -> None:
    text = find_edition(DocumentName.CP).text
    own = [oid for oid in oids.POLICIES.values() if oid != oids.ANY_POLICY]
    for oid in own:
        assert f"`{oid.removeprefix(oids.ARC)}`" in text, oid


async def test_a_certificate_leads_to_the_statement(world) -> None:
    issued = await issue(world, 1)
    certificate = x509.load_der_x509_certificate(issued.der)
    (policy,) = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    (address,) = policy.policy_qualifiers
    path = address.removeprefix(world.platform.settings.origins.platform)
    answer = await fetch(world, path)
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.text == find_edition(DocumentName.CPS).text
    assert (await fetch(world, "/cps/1.0")).text == answer.text
    assert (await fetch(world, "/cp")).status_code == 200
    assert (await fetch(world, "/cp/9.9")).status_code == 404
