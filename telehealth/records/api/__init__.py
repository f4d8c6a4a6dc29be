"""The faces of records by REST, by subject."""
