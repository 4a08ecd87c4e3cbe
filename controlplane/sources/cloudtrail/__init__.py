"""CloudTrail: `reader.CloudTrailReader` for trail files (plain or gzip), `lookup-events` output, and JSON lines."""
