"""What was used once: a memory of proof ids, bounded in size and in time.

DPoP proofs, client assertions and webhook nonces carry an id that may be used once while it is valid
(RFC 9449 §11.1, RFC 7523 §3). The memory only has to reach as far back as such a proof is accepted. When
it is full it refuses, because forgetting an id would let that proof through a second time.
"""

from inkan.kernel.errors import Unauthenticated, Unavailable


class ProofReplayed(Unauthenticated):
    """This very proof was used before."""

    code = "proof_replayed"
    title = "This proof was already used"


class ReplayMemoryFull(Unavailable):
    """More proofs are alive than the memory holds; none of them is admitted unremembered."""

    code = "replay_memory_full"
    title = "Too many requests are under way at the moment"


class ReplayMemory:
    """Ids seen within the last one to two windows, in two generations that replace each other.

    A generation lives for ``window_s`` (the longest time that a proof is accepted); an id is therefore
    kept for at least one window and at most two, and nothing has to be swept.
    """

    def __init__(self, *, window_s: float, capacity: int = 200_000) -> None:
        self._window_s = window_s
        self._capacity = capacity
        self._young: set[str] = set()
        self._old: set[str] = set()
        self._turn_at = float("-inf")

    def admit(self, proof_id: str, *, now: float) -> None:
        """Remember ``proof_id`` (key thumbprint and jti in one text) at ``now``, in monotonic seconds.

        Raises:
            ProofReplayed: it is remembered.
            ReplayMemoryFull: there is no room to remember it.
        """
        if now >= self._turn_at:
            self._turn(now)
        if proof_id in self._young or proof_id in self._old:
            raise ProofReplayed
        if len(self._young) + len(self._old) >= self._capacity:
            raise ReplayMemoryFull(retry_after_s=int(self._window_s))
        self._young.add(proof_id)

    def _turn(self, now: float) -> None:
        quiet = now >= self._turn_at + self._window_s
        self._old = set() if quiet else self._young
        self._young = set()
        self._turn_at = now + self._window_s

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
