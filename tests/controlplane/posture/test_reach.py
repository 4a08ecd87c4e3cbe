"""How far egress reaches, by what the survey said."""

from __future__ import annotations

import pytest

from controlplane.posture.reach import reaches


@pytest.mark.parametrize(
    "destination", ["127.0.0.1:80/tcp", "127.9.9.9:1/udp", "[::1]:80/tcp", "localhost:5432/tcp", "<own>:0/tcp"]
)
def test_the_loopback_is_reached_either_way(destination: str) -> None:
    assert reaches(destination, {"loopback"})
    assert reaches(destination, {"unrestricted"})


@pytest.mark.parametrize(
    "destination", ["10.0.0.1:80/tcp", "[fd00::1]:1/tcp", "evil.example:443/tcp", "127.0.0.1.evil:1/tcp", "", "x"]
)
def test_what_is_elsewhere_is_reached_only_without_restriction(destination: str) -> None:
    assert not reaches(destination, {"loopback"})
    assert reaches(destination, {"unrestricted"})
    assert not reaches(destination, set())


def test_a_local_socket_is_not_egress() -> None:
    assert not reaches("unix:/run/docker.sock", {"unrestricted", "loopback"})
