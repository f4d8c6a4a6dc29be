"""A clinic with everybody who has, had or never had a reason to see a record; and what each of them is due, by a reckoning of its own."""
