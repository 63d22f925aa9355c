"""Which addresses may be connected to."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.delivery.public_addresses import is_loopback, is_public

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2001:200::1",
    "2a00:1450:4001:82f::200e",
    "::ffff:8.8.8.8",
    "::8.8.8.8",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::8.8.8.8",
    "64:ff9b:1:808:8:800::",
    "64:ff9b:1:8:8:808::",
    "64:ff9b:1:0:8:808:800:0",
    "2002:808:808::1",
]

NOT_PUBLIC = [
    # IPv4
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    # IPv6
    "::",
    "::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",  # Teredo
    "2001:0:808:808::f7f7:f7f7",  # Teredo of a public server and client
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    # IPv4 inside of IPv6
    "::ffff:127.0.0.1",
    "::ffff:100.64.0.1",
    "::127.0.0.1",
    "::10.0.0.1",
    "::ffff:0:10.0.0.1",
    "::ffff:0:8.8.8.8",  # IPv4-translated: no address of a host on the internet
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::10.0.0.1",
    "64:ff9b:1:a00:0:100::",  # 10.0.0.1 behind a prefix of 48 bits
    "64:ff9b:1:a00:0:100:808:808",  # the same; the suffix, 8.8.8.8, is ignored there
    "64:ff9b:1:a:0:1::",  # behind 56 bits
    "64:ff9b:1:0:a:0:100:0",  # behind 64 bits
    "64:ff9b:1::",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:a9fe:a9fe::",
    # no addresses
    "",
    "localhost",
    "8.8.8",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_not_public(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_the_table_is_never_wider_than_is_global(ip: IPv4Address) -> None:
    assert ip.is_global or not is_public(str(ip))


@given(st.ip_addresses(v=6))
def test_the_table_is_never_wider_than_is_global_in_ipv6(ip: IPv6Address) -> None:
    assert ip.is_global or ip.ipv4_mapped or not is_public(str(ip))


@given(
    st.ip_addresses(v=4).filter(lambda ip: not is_public(str(ip))),
    st.sampled_from(["::ffff:{}", "::{}", "64:ff9b::{}", "64:ff9b:1::{}"]),
)
def test_no_form_makes_a_private_address_public(ip: IPv4Address, form: str) -> None:
    assert not is_public(form.format(ip))


def test_this_machine() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1")))
    assert not any(map(is_loopback, ("10.0.0.1", "::2", "8.8.8.8", "localhost")))
