"""The Kubernetes audit log: `reader.AuditReader` for files and feeds, `endpoint` for what an API server posts.

`translate.Translation` says how events are read: which names matter (`names.KEPT`), which hops are proxies of ours.
"""
