"""What must leave the system: written in the transaction of its cause, delivered at least once, in order, or parked."""
