"""The loop: what a sidecar sends becomes references, findings and alerts, in one transaction."""

from controlplane.loop.loop import Loop
from controlplane.loop.settings import LoopSettings

__all__ = ["Loop", "LoopSettings"]
