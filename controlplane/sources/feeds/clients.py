"""boto3's clients, with bounds. Credentials and region are found as everywhere: environment, profile, pod, instance."""

from __future__ import annotations

from typing import Any


class MissingClientError(Exception):
    """boto3 is not installed."""

    def __init__(self) -> None:
        super().__init__("AWS cannot be asked: install inscope with its `aws` extra (boto3)")


def client(service: str, region: str = "") -> Any:
    """A client of `service` (`logs`, `sqs`, `s3`, `iam`, `eks`).

    Raises:
        MissingClientError: boto3 is not there.
        BotoCoreError: there is no region.
    """
    try:
        import boto3
        from botocore.config import Config
    except ModuleNotFoundError as error:
        raise MissingClientError from error
    bounds = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 5})
    return boto3.client(service, region_name=region or None, config=bounds)
