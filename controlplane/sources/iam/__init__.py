"""AWS IAM: `read_declaration` from `get-account-authorization-details`, `evaluator.evaluate` as IAM decides."""

from controlplane.sources.iam.declaration import NoAccountError, read_declaration

__all__ = ["NoAccountError", "read_declaration"]
