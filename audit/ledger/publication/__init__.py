"""The published log beyond this machine's disk: hashes and signed checkpoints, never an entry."""
