"""The arithmetic of a transparency log, without Django and without a database: tree, proofs, notes, tiles."""
