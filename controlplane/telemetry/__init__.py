"""How the loop itself is doing: metrics, and traces of the path from observation to alert, as OpenTelemetry.

Nothing here is needed for the loop to work: without an endpoint nothing is imported, with a dead one nothing waits.
"""
