"""Keys that tests share: making an RSA key takes 50 ms and more, so each is made once a process and asked for by number.

As a plugin this module begins the stock of ``support.thrift`` anew with every test.
"""

from functools import cache
from itertools import count

from cryptography.hazmat.primitives.asymmetric import ec, rsa


@cache
def rsa_key(number: int = 0, *, bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(
    number: int = 0, *, curve: type[ec.EllipticCurve] = ec.SECP256R1
) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


class Stock:
    """RSA keys one after the other: none comes twice in a test, nor while somebody holds the stock open."""

    FIRST = 10_000
    """Numbers that no test asks for by itself."""

    def __init__(self) -> None:
        self.holders = 0
        self._numbers = count(self.FIRST)

    def take(self, bits: int) -> rsa.RSAPrivateKey:
        return rsa_key(next(self._numbers), bits=bits)

    def renew(self) -> None:
        """Begin anew, unless something outlives the test."""
        if not self.holders:
            self._numbers = count(self.FIRST)


STOCK = Stock()


def pytest_runtest_logstart() -> None:
    STOCK.renew()
