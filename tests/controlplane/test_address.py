"""Addresses as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.address import Address, BadAddressError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:7443", Address("127.0.0.1", 7443)),
        ("[::1]:0", Address("::1", 0)),
        ("cp.example:65535", Address("cp.example", 65535)),
    ],
)
def test_an_address_is_read_and_written(text: str, address: Address) -> None:
    assert (Address.parse(text), str(address)) == (address, text)


@pytest.mark.parametrize(
    "text", ["", "7443", ":7443", "host", "host:", "host:65536", "host:-1", "::1:80", "[::1]", "[]:1", "h:٣", "[h]:1"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadAddressError):
        Address.parse(text)


@given(st.text())
def test_no_text_crashes_the_parser(text: str) -> None:
    try:
        address = Address.parse(text)
    except BadAddressError:
        return
    assert 0 <= address.port < 65_536
