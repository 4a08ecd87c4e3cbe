"""Kubernetes NetworkPolicy: `read_network` from manifests, `Network.egress_of` a workload's pods, `Egress.allows` a
destination, and `compared` with what was contacted.
"""

from controlplane.sources.networkpolicy.contacted import Compared, compared
from controlplane.sources.networkpolicy.egress import Answer, Decision, Destination, Egress, Network, Pod
from controlplane.sources.networkpolicy.manifests import read_network

__all__ = ["Answer", "Compared", "Decision", "Destination", "Egress", "Network", "Pod", "compared", "read_network"]
