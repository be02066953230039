"""Ports of loopback for servers that a test starts."""

import random
import socket

# Below the ports that the system gives to outgoing connections: none of these takes a port between probe and server.
_FIRST, _LAST = 20_000, 32_000
# Not the tests' order of numbers: workers must not ask for the same ports, and a port is no result of a test.
_DRAW = random.SystemRandom()


def free_port(*, neighbours: int = 0) -> int:
    """A port that nobody listens on, and nobody on so many after it."""
    while True:
        port = _DRAW.randrange(_FIRST, _LAST - neighbours)
        if all(_is_free(port + step) for step in range(neighbours + 1)):
            return port


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
