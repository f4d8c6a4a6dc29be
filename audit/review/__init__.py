"""Where people look at the log: who opened a record, and the privacy officer's list."""
