"""What the wildcards of a grant stand for in this cluster, as its API server's discovery tells. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

from controlplane.sources.kubernetes import service_of
from controlplane.sources.rbac.objects import Kinds
from inscope.permission import Permission


class Discovery:
    """Verbs that are no requests (`bind`, `escalate`, `impersonate`) are not discovered, nor are paths: where `*` may
    stand for them they are not counted.
    """

    def __init__(self, kinds: Iterable[Kinds] = ()) -> None:
        known: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for each in kinds:  # one version of a group; the others have much the same
            for resource, verbs in each.verbs.items():
                known[service_of(each.group)][resource].update(verbs)
        self._known: Mapping[str, Mapping[str, set[str]]] = known

    def size(self, permissions: Iterable[Permission]) -> int:
        """How many verbs of kinds they come to, each name of a restricted one by itself; the namespaces that they reach
        are not counted. -1: open-ended, as far as is known.
        """
        single: set[tuple[str, str, str, str]] = set()
        for each in permissions:
            if "*" not in f"{each.service}{each.action}{each.resource}":
                single.add((each.service, each.action, each.resource, each.name))
                continue
            stands_for = self._stands_for(each)
            if not stands_for:
                return -1
            single.update(stands_for)
        return len(single)

    def _stands_for(self, pattern: Permission) -> set[tuple[str, str, str, str]]:
        if pattern.service == "nonresource":
            return set()
        services = self._known if pattern.service == "*" else {pattern.service} & self._known.keys()
        return {
            (service, verb, resource, pattern.name)
            for service in services
            for resource, verbs in self._known[service].items()
            if _is_meant(pattern.resource, resource)
            for verb in (verbs if pattern.action == "*" else (pattern.action,))
        }


def _is_meant(pattern: str, resource: str) -> bool:
    """As RBAC matches: `*`, `*/SUBRESOURCE`, or the resource itself."""
    return pattern in ("*", resource) or (pattern.startswith("*/") and resource.endswith(pattern[1:]))


@lru_cache(maxsize=4)
def discovery_of(kinds: tuple[Kinds, ...]) -> Discovery:
    """The same one for the same documents, by which what is made of it is known again."""
    return Discovery(kinds)


NOTHING_KNOWN = discovery_of(())
"""Where no document of discovery was read."""
