"""Tests reach this machine only: a plugin that refuses every other address.

It listens to the interpreter's audit events, so that no library and no thread slips past it. (An event
loop written in C, such as uvloop, raises no such events; the tests run on asyncio's own loop.)
"""

import ipaddress
import sys
from typing import Any

# Events whose arguments hold an address: (socket, address) or (host, …).
WITH_ADDRESS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
WITH_HOST = frozenset({"socket.getaddrinfo", "socket.gethostbyname"})


class LeavesTheMachine(RuntimeError):
    """A test tried to reach another machine. Not an OSError, so that no error handling swallows it."""


def is_local(host: object) -> bool:
    """Whether a host of an address is this machine; what is no internet address is local too."""
    name = host.decode() if isinstance(host, bytes | bytearray) else host
    if not isinstance(name, str) or name in {"", "localhost"} or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _names_no_host(host: object) -> bool:
    """Whether looking this up asks nobody: an address is its own answer."""
    try:
        ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return is_local(host)
    return True


def guard(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse the events that leave the machine."""
    if event in WITH_ADDRESS:
        address = arguments[1]
        # AF_UNIX has a path, AF_NETLINK numbers; only AF_INET and AF_INET6 begin with a host.
        if isinstance(address, tuple) and address and not is_local(address[0]):
            raise LeavesTheMachine(f"{event}: {address[0]}")
    elif event in WITH_HOST and not _names_no_host(arguments[0]):
        raise LeavesTheMachine(f"{event}: {arguments[0]}")


def pytest_configure() -> None:
    # An audit hook stays until the process ends: one is enough.
    if not getattr(sys, "_inkan_loopback_guard", False):
        sys.addaudithook(guard)
        sys._inkan_loopback_guard = True  # type: ignore[attr-defined]
