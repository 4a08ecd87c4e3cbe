"""Live feeds of managed clouds: `cloudwatch.LogGroup` and `queue.BucketQueue` bring documents, `telling.telling` has a
log's reader tell what is in them and measures how late that is. `clients` connects by boto3.
"""
