"""The same chains before openssl and before certvalidator: both say what we say."""

import asyncio
import subprocess
from datetime import timedelta

import pytest
from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko_certvalidator import CertificateValidator, PKIXValidationParams, ValidationContext
from pyhanko_certvalidator.errors import PathBuildingError, ValidationError

from crypto.validation.corpus import Chain, chains, listed
from inkan.crypto.validation.verdict import Status
from support.paths import ANY, AT, verdict
from support.tools import require

CHAINS = [*chains(), *listed()]


def ours(chain: Chain) -> bool:
    answer = verdict(
        chain.holder,
        chain.root,
        known=chain.known,
        crls=chain.crls,
        policies=frozenset(chain.policies or {ANY}),
        explicit_policy=bool(chain.policies),
    )
    return answer.status is Status.VALID


def pem(certificates) -> str:
    return "".join(row.public_bytes(Encoding.PEM).decode() for row in certificates)


@pytest.mark.pki
def test_openssl_says_what_we_say(tmp_path) -> None:
    openssl = require("openssl")
    root, pool, leaf, lists = (tmp_path / name for name in ("root", "pool", "leaf", "lists"))
    differ = []
    for chain in CHAINS:
        root.write_text(pem([chain.root.certificate]))
        pool.write_text(pem(row.certificate for row in chain.known))
        leaf.write_text(pem([chain.holder.certificate]))
        command = [openssl, "verify", "-attime", str(int(AT.timestamp())), "-CAfile", root]
        command += ["-untrusted", pool, "-policy_check"]
        for policy in chain.policies or (ANY,):
            command += ["-policy", policy]
        if chain.policies:
            command.append("-explicit_policy")
        if chain.crls:
            lists.write_text(pem(map(x509.load_der_x509_crl, chain.crls)))
            command += ["-crl_check_all", "-extended_crl", "-use_deltas", "-CRLfile", lists]
        done = subprocess.run([*command, leaf], capture_output=True, text=True, check=False)
        if (done.returncode == 0) is not ours(chain):
            differ.append((chain.label, done.stderr.splitlines()[-2:]))
    assert differ == []


def theirs(chain: Chain) -> bool:
    load = asn1_x509.Certificate.load
    context = ValidationContext(
        trust_roots=[load(chain.root.der)],
        other_certs=[load(row.der) for row in chain.known],
        moment=AT,
        crls=[asn1_crl.CertificateList.load(der) for der in chain.crls],
        revocation_mode="require" if chain.crls else "soft-fail",
        allow_fetching=False,
        time_tolerance=timedelta(0),
    )
    parameters = PKIXValidationParams(
        user_initial_policy_set=frozenset(chain.policies or {"any_policy"}),
        initial_explicit_policy=bool(chain.policies),
    )
    validator = CertificateValidator(
        load(chain.holder.der), validation_context=context, pkix_params=parameters
    )
    try:
        asyncio.run(validator.async_validate_path())
    except (ValidationError, PathBuildingError):
        return False
    return True


@pytest.mark.pki
def test_certvalidator_says_what_we_say() -> None:
    differ = [chain.label for chain in CHAINS if theirs(chain) is not ours(chain)]
    assert differ == []


def test_the_corpus_has_both_answers() -> None:
    answers = [ours(chain) for chain in CHAINS]
    assert min(answers.count(True), answers.count(False)) > 100
