"""Which addresses a server that others reach may call on a visitor's behalf."""

from __future__ import annotations

import asyncio

import pytest

from shared.errors import BackendError
from shared.url_guard import check_url, is_open, resolve


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:7f00:1::1",
    ],
)
def test_addresses_of_private_networks_are_not_open(address: str) -> None:
    assert not is_open(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_of_the_internet_are_open(address: str) -> None:
    assert is_open(address)


@pytest.mark.parametrize(
    "url", ["ftp://example.com", "example.com/v1", "https://", "https://[::1", "https://a:b@c.de/v1"]
)
def test_what_is_no_address_of_a_server_is_refused_everywhere(url: str) -> None:
    for public in (True, False):
        with pytest.raises(BackendError):
            check_url(url, public=public)


def test_a_persons_own_machine_may_call_itself() -> None:
    assert check_url("http://127.0.0.1:8000/v1", public=False).port == 8000


def test_a_password_in_an_address_is_not_repeated() -> None:
    with pytest.raises(BackendError) as caught:
        check_url("https://me:s3cret@example.com/v1", public=False)
    assert "s3cret" not in str(caught.value)


def test_a_name_that_means_this_machine_is_refused() -> None:
    with pytest.raises(BackendError, match="private network"):
        asyncio.run(resolve("localhost", 443))
