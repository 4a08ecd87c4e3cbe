"""What is missing to ask AWS is said."""

from __future__ import annotations

import pytest

from controlplane.sources.feeds.clients import NoClientError, client


def test_a_region_that_nobody_named_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(NoClientError, match="region"):
        client("eks")
    assert client("eks", "eu-west-1").meta.region_name == "eu-west-1"


def test_a_client_gives_up_in_time() -> None:
    bounds = client("sqs").meta.config
    assert (bounds.connect_timeout, bounds.read_timeout) == (5, 60)
