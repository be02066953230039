"""Who is at the other end of a Unix socket, as the kernel says."""

import socket
import struct

_CREDENTIALS = struct.Struct("=iII")  # struct ucred of Linux: pid, uid, gid


def peer_uid(connection: socket.socket) -> int:
    """Return the user id of the process at the other end, as it was when it connected or listened."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(data)
    return int(uid)
