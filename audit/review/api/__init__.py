"""The review over REST, by subject."""
