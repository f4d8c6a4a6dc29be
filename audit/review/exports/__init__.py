"""How what the review exports is written: CSV, NDJSON, and FHIR R4 AuditEvents. Pure; nothing here reads or decides."""
