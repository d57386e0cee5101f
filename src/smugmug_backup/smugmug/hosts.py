"""Which hosts photos may come from, and which addresses may be connected to."""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Any

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

SMUGMUG = ".smugmug.com"
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_loopback_name(host: str) -> bool:
    """Whether ``host`` names this machine: localhost, 127.0.0.1, ::1 and alike."""
    name = host.lower().strip("[]")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_smugmug(host: str) -> bool:
    """Whether ``host`` is SmugMug's own, so that it may see a signed request."""
    return matches(host, SMUGMUG)


def matches(host: str, pattern: str) -> bool:
    """Whether ``host`` is ``pattern``, or lies under it where it begins with a dot."""
    if pattern.startswith("."):
        return host == pattern[1:] or host.endswith(pattern)
    return host == pattern


def parse_hosts(text: str) -> tuple[str, ...]:
    """Read ``SMUGMUG_PHOTO_HOSTS``: a comma list without ports. Raises ValueError, whose text goes
    on from the setting's name."""
    patterns = tuple(part.strip().lower().strip("[]") for part in text.split(",") if part.strip())
    if not patterns or not all(map(_is_pattern, patterns)):
        raise ValueError(
            "must be host names such as photos.smugmug.com, or with a leading dot a domain and all "
            "that is under it, such as .smugmug.com; without scheme, port or path, and no domain "
            "as wide as .com"
        )
    return patterns


def _is_pattern(pattern: str) -> bool:
    if is_loopback_name(pattern):
        return True
    labels = pattern.removeprefix(".").split(".")
    # A bare top-level domain would open half the world.
    return len(labels) >= 2 and all(
        label and all(c.isascii() and (c.isalnum() or c in "-_") for c in label) for label in labels
    )


def resolve(host: str, port: int) -> list[str]:
    """The addresses of ``host``. Raises OSError."""
    found: list[Any] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(text: str) -> bool:
    """Whether an address is one of the public Internet, also where it wraps another one."""
    try:
        address: Address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            # How an IPv6-only subnet reaches IPv4, private addresses included.
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if address.teredo is not None or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def is_loopback(text: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False
