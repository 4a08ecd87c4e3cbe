"""PostgreSQL: `read_declaration` from what `CATALOG` asks a database, `live.read_server` from a running one,
`reader.PostgresReader` for its log, `emit.least_privilege` for the grants that would have been enough. `read_classes`
reads a user's list of what columns hold.
"""

from controlplane.sources.postgresql.classes import SHIPPED, ClassesError, read_classes, together
from controlplane.sources.postgresql.declaration import CATALOG, NoCatalogError, read_declaration

__all__ = ["CATALOG", "SHIPPED", "ClassesError", "NoCatalogError", "read_classes", "read_declaration", "together"]
