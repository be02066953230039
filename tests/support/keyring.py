"""Keys that tests share: making an RSA key takes 50 ms and more, so each is made once a process and asked for by number."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa


@cache
def rsa_key(number: int = 0, *, bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(
    number: int = 0, *, curve: type[ec.EllipticCurve] = ec.SECP256R1
) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())
