"""PostgreSQL: `read_declaration` from what `CATALOG` asks a database, `reader.PostgresReader` for its JSON log."""

from controlplane.sources.postgresql.declaration import CATALOG, NoCatalogError, read_declaration

__all__ = ["CATALOG", "NoCatalogError", "read_declaration"]
