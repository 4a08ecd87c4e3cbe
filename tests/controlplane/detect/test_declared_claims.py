"""Which grant an exercised permission is foreseen by, where several cover it."""

from __future__ import annotations

from dataclasses import replace

from controlplane.detect.declared_claims import permission_claims
from controlplane.posture.gap import Held
from controlplane.posture.latent import watch_of_grant
from inscope.behaviour import Outcome, PermissionUse
from tests.controlplane.declared import ACCOUNT, READ_PODS, READER


def test_the_binding_that_the_authority_names_is_first_and_not_one_whose_name_begins_like_it() -> None:
    paths = (("ClusterRoleBinding agent", "ClusterRole view"), ("ClusterRoleBinding agents", "ClusterRole view"))
    grants = [replace(READER, path=path, size=size) for path, size in zip(paths, (1, 2), strict=True)]
    held = [Held(grant, ACCOUNT, (), grant.permissions, 1.0) for grant in grants]
    act = PermissionUse(READ_PODS, ACCOUNT, Outcome.ALLOWED, "ClusterRoleBinding agents")
    assert [claim.watch for claim in permission_claims(act, held)] == [watch_of_grant(held[1]), watch_of_grant(held[0])]
