"""Which IP addresses are public: the rule for links that users give.

The rule is a table and not `ipaddress.is_global`, which answers True for addresses behind which a
private one hides (NAT64, 6to4, IPv4-compatible), for multicast and for site-local ones, and whose
answer changes with the version of Python.

IPv4: everything outside `_REFUSED_4` is public. IPv6: an address that carries an IPv4 address in it
is judged by that; of all others only global unicast (2000::/3) outside `_REFUSED_6` is public.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_REFUSED_4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network (RFC 1122)
            "10.0.0.0/8",  # private (RFC 1918)
            "100.64.0.0/10",  # carrier-grade NAT (RFC 6598)
            "127.0.0.0/8",  # loopback (RFC 1122)
            "168.63.129.16/32",  # Azure's host, reached from every virtual machine
            "169.254.0.0/16",  # link-local and cloud metadata (RFC 3927)
            "172.16.0.0/12",  # private (RFC 1918)
            "192.0.0.0/24",  # IETF protocol assignments (RFC 6890)
            "192.0.2.0/24",  # documentation (RFC 5737)
            "192.88.99.0/24",  # 6to4 relays, deprecated (RFC 7526)
            "192.168.0.0/16",  # private (RFC 1918)
            "198.18.0.0/15",  # benchmarking (RFC 2544)
            "198.51.100.0/24",  # documentation (RFC 5737)
            "203.0.113.0/24",  # documentation (RFC 5737)
            "224.0.0.0/4",  # multicast (RFC 5771)
            "240.0.0.0/4",  # reserved, and broadcast (RFC 1112)
        ),
    )
)

_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""Everything else is refused: fc00::/7, fe80::/10, fec0::/10, ff00::/8, 100::/64 and the rest."""

_REFUSED_6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # IETF protocol assignments, Teredo (2001::/32) among them (RFC 2928)
            "2001:db8::/32",  # documentation (RFC 3849)
            "3fff::/20",  # documentation (RFC 9637)
        ),
    )
)

_LAST = (12, 13, 14, 15)

_EMBEDDED: tuple[tuple[IPv6Network, tuple[tuple[int, int, int, int], ...]], ...] = (
    (IPv6Network("::ffff:0:0/96"), (_LAST,)),  # IPv4-mapped (RFC 4291)
    (IPv6Network("::/96"), (_LAST,)),  # IPv4-compatible (RFC 4291); holds :: and ::1
    (IPv6Network("64:ff9b::/96"), (_LAST,)),  # NAT64 (RFC 6052)
    (
        # NAT64 of one's own (RFC 8215). Its prefix may have any length, so the IPv4 address may
        # be in any of four places (RFC 6052, section 2.2).
        IPv6Network("64:ff9b:1::/48"),
        ((6, 7, 9, 10), (7, 9, 10, 11), (9, 10, 11, 12), _LAST),
    ),
    (IPv6Network("2002::/16"), ((2, 3, 4, 5),)),  # 6to4 (RFC 3056)
)
"""Networks whose addresses carry an IPv4 address, and the bytes that can hold it."""

_THIS_NETWORK = IPv4Network("0.0.0.0/8")


def is_public(address: str) -> bool:
    """Whether anybody on the internet may have this address. False too for what is none."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return _is_public_4(ip) if isinstance(ip, IPv4Address) else _is_public_6(ip)


def is_loopback(address: str) -> bool:
    """Whether the address is this machine's own: 127.0.0.0/8 or ::1."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _is_public_4(ip: IPv4Address) -> bool:
    return not any(ip in network for network in _REFUSED_4)


def _is_public_6(ip: IPv6Address) -> bool:
    for network, places in _EMBEDDED:
        if ip in network:
            return _leads_outside(ip, places)
    return ip in _GLOBAL_UNICAST and not any(ip in network for network in _REFUSED_6)


def _leads_outside(ip: IPv6Address, places: tuple[tuple[int, int, int, int], ...]) -> bool:
    """Whether every IPv4 address that may be meant is public. Where there are several places, the
    zeros of an unused one (0.0.0.0/8) mean nothing, and no translator delivers to them."""
    found = [IPv4Address(bytes(ip.packed[at] for at in place)) for place in places]
    used = [each for each in found if each not in _THIS_NETWORK]
    return bool(used) and all(map(_is_public_4, used))
