"""The Kubernetes audit log: `reader.AuditReader` for files and feeds, `endpoint` for what an API server posts."""
