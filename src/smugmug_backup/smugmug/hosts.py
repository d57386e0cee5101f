"""Which hosts photos may come from, and which addresses may be connected to."""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

SMUGMUG = ".smugmug.com"
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_smugmug(host: str) -> bool:
    """Whether ``host`` is SmugMug's own, so that it may see a signed request."""
    return matches(host, SMUGMUG)


def matches(host: str, pattern: str) -> bool:
    """Whether ``host`` is ``pattern``, or lies under it where it begins with a dot."""
    if pattern.startswith("."):
        return host == pattern[1:] or host.endswith(pattern)
    return host == pattern


def resolve(host: str, port: int) -> list[str]:
    """The addresses of ``host``. Raises OSError."""
    found: list[Any] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@lru_cache(256)
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


@lru_cache(256)
def is_loopback(text: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False
