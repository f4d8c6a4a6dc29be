"""The REST engine: parsing, access gate, errors, paging, idempotency and the OpenAPI description. It knows no subject."""
