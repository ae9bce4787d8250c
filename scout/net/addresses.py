"""Which IP addresses may be asked: those of the public internet, whatever notation or tunnel they come in. Pure.

Names are not looked at here. A host is judged by what it resolves to (see `wire`), so that `0x7f.1`, `2130706433` and
`localhost.` need no rule of their own.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from scout.net.errors import Refused

_NAT64 = IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NEVER_4 = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments; a cloud's metadata service lives there
    IPv4Network("192.88.99.0/24"),  # relays of 6to4
)
_NEVER_6 = (
    IPv6Network("2001::/23"),  # Teredo, ORCHID and other assignments of the protocol itself
    IPv6Network("2002::/16"),  # 6to4: any IPv4 address may hide in it
    IPv6Network("2001:db8::/32"),
    IPv6Network("3fff::/20"),  # documentation, like the one above
)


def vet(address: str, *, host: str = "", allow_loopback: bool = False) -> None:
    """Return if `address` may be asked.

    `allow_loopback` lets in this machine alone: other private, link-local and metadata addresses stay refused.

    Raises:
        Refused: it is not a global unicast address. The message names `host`, which resolved to it.
    """
    shown = f"{host} ({address})" if host and host != address else address
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        raise Refused(f"{shown} is no IP address") from None
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if ip.is_loopback:
        if allow_loopback:
            return
        raise Refused(f"{shown} is this machine, which is not asked; net.allow_loopback = true permits it")
    if isinstance(ip, IPv6Address) and ip in _NAT64:
        ip = IPv4Address(int(ip) & 0xFFFF_FFFF)  # what the translator would ask on our behalf; never loopback for us
    if not _is_public(ip):
        raise Refused(f"{shown} is not on the public internet; a host of your own network goes into net.allow_hosts")


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    if ip.is_multicast or ip.is_unspecified or ip.is_link_local or ip.is_reserved or not ip.is_global:
        return False
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _NEVER_4)
    return ip in _GLOBAL_UNICAST and not any(ip in network for network in _NEVER_6)
