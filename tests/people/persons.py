"""Made-up persons with true check digits, and the keys that hide them."""

from datetime import date

from inkan.audit import Actor, ActorKind
from inkan.kernel.identifiers import national_id_check_digit, parse_national_id
from inkan.kernel.sensitive import Secret
from inkan.people import Identity, new_identity
from inkan.store.sealing import Sealer

OFFICER = Actor(ActorKind.STAFF, "ac_officer")
COUNTER = Actor(ActorKind.OPERATOR, "counter")


def identity(
    *, name: str = "王小明", prefix: str = "A12345678", birth_date: date = date(1990, 5, 17)
) -> Identity:
    """A person with the national ID that begins with ``prefix``."""
    national_id = parse_national_id(prefix + national_id_check_digit(prefix))
    return new_identity(name=name, birth_date=birth_date, national_id=national_id)


def sealer(versions: int = 1) -> Sealer:
    """A sealer with so many key versions."""
    numbers = range(1, versions + 1)
    return Sealer(
        sealing={number: Secret(bytes([number]) * 32) for number in numbers},
        lookup={number: Secret(bytes([100 + number]) * 32) for number in numbers},
    )
