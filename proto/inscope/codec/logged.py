"""What authorities' logs tell, to the wire and back."""

from __future__ import annotations

from inscope.behaviour import CredentialUse, LoggedBehaviour, Means, Outcome, PermissionUse, RoleAssumption
from inscope.codec.bounds import member, reject, text
from inscope.permission import Authority, Permission
from inscope.v1 import words_pb2 as pb


def logged_to_wire(behaviour: LoggedBehaviour) -> pb.Behaviour:
    match behaviour:
        case PermissionUse(permission, principal, outcome, granted_by):
            use = pb.PermissionUse(
                permission=permission_to_wire(permission), principal=principal, outcome=outcome, granted_by=granted_by
            )
            return pb.Behaviour(permission_use=use)
        case RoleAssumption(role, principal, means, outcome):
            taken = pb.RoleAssumption(role=role, principal=principal, means=means, outcome=outcome)
            return pb.Behaviour(role_assumption=taken)
        case CredentialUse(principal, network, client):
            return pb.Behaviour(credential_use=pb.CredentialUse(principal=principal, network=network, client=client))


def logged_from_wire(wire: pb.Behaviour) -> LoggedBehaviour:
    match wire.WhichOneof("behaviour"):
        case "permission_use":
            use = wire.permission_use
            return PermissionUse(
                permission_from_wire(use.permission),
                text(use.principal, "permission_use.principal"),
                member(Outcome, use.outcome, "permission_use.outcome"),
                text(use.granted_by, "permission_use.granted_by"),
            )
        case "role_assumption":
            taken = wire.role_assumption
            return RoleAssumption(
                text(taken.role, "role_assumption.role"),
                text(taken.principal, "role_assumption.principal"),
                member(Means, taken.means, "role_assumption.means"),
                member(Outcome, taken.outcome, "role_assumption.outcome"),
            )
        case "credential_use":
            used = wire.credential_use
            return CredentialUse(
                text(used.principal, "credential_use.principal"),
                text(used.network, "credential_use.network"),
                text(used.client, "credential_use.client"),
            )
        case _:
            reject("behaviour", "not one that a log tells")


def permission_to_wire(permission: Permission) -> pb.Permission:
    return pb.Permission(
        authority=permission.authority,
        service=permission.service,
        action=permission.action,
        resource=permission.resource,
        scope=permission.scope,
        name=permission.name,
    )


def permission_from_wire(wire: pb.Permission) -> Permission:
    return Permission(
        member(Authority, wire.authority, "permission.authority"),
        text(wire.service, "permission.service"),
        text(wire.action, "permission.action"),
        text(wire.resource, "permission.resource"),
        text(wire.scope, "permission.scope"),
        text(wire.name, "permission.name"),
    )
