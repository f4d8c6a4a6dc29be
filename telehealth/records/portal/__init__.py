"""The portal's pages of records: a visit's banner, imports, and the front desk's patients."""
