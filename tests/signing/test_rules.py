"""The figures of documents, and who may sign them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.kernel.errors import Malformed
from inkan.signing.model import DocumentOrder, Result
from inkan.signing.rules import RESULT_OF, refusal, result_of, verify_digest, verify_ids
from inkan.wire.contents import DIGEST_CHARACTERS, DigestAlgorithm
from inkan.wire.reasons import Reason
from inkan.wire.session import Outcome
from wire import samples


def test_only_a_good_outcome_is_a_signature() -> None:
    assert {each for each in Outcome if RESULT_OF[each] is Result.SIGNED} == {Outcome.OK}


@given(st.lists(st.sampled_from([Result.SIGNED, Result.REFUSED]), max_size=5))
def test_one_signature_makes_a_document_signed(outcomes: list[Result]) -> None:
    expected = Result.SIGNED if Result.SIGNED in outcomes else Result.REFUSED
    assert result_of(outcomes) is (expected if outcomes else Result.PENDING)


def test_a_young_phone_signs_no_contents() -> None:
    contents = (samples.noted(),)
    assert refusal(contents, is_young=True) is Reason.COOLING_OFF
    assert refusal(contents, is_young=False) is None
    assert refusal((), is_young=True) is None


def test_a_digest_has_the_length_of_its_algorithm() -> None:
    for alg, other in itertools.product(DigestAlgorithm, repeat=2):
        order = DocumentOrder("a", "A" * DIGEST_CHARACTERS[other], alg)
        if alg is other:
            verify_digest(order, where="/digest")
        else:
            with pytest.raises(Malformed):
                verify_digest(order, where="/digest")


@pytest.mark.parametrize("count", [0, 101])
def test_a_list_has_1_to_100_documents(count: int) -> None:
    with pytest.raises(Malformed):
        verify_ids([f"doc_{n}" for n in range(count)], where="/contents")
    verify_ids([f"doc_{n}" for n in range(100)], where="/contents")
    with pytest.raises(Malformed):
        verify_ids(["doc_a", "doc_a"], where="/contents")
