"""boto3's clients, with bounds. Credentials and region are found as everywhere: environment, profile, pod, instance."""

from __future__ import annotations

from typing import Any


class NoClientError(Exception):
    """AWS cannot be asked. The message says what is missing."""


def client(service: str, region: str = "") -> Any:
    """A client of `service` (`logs`, `sqs`, `s3`, `iam`, `eks`).

    Raises:
        NoClientError: boto3 is not there, or no region is named anywhere.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ModuleNotFoundError as error:
        raise NoClientError("AWS cannot be asked: install inscope with its `aws` extra (boto3)") from error
    bounds = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 5})
    try:
        return boto3.client(service, region_name=region or None, config=bounds)
    except (BotoCoreError, ValueError) as error:
        raise NoClientError(f"{service} cannot be asked: {error}") from error
