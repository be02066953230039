"""Ports of loopback for servers that a test starts."""

import socket


def free_port(*, neighbours: int = 0) -> int:
    """A port that nobody listens on, and nobody on so many after it."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port: int = probe.getsockname()[1]
        if all(_is_free(port + step) for step in range(1, neighbours + 1)):
            return port


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except (OSError, OverflowError):
        return False
    return True
