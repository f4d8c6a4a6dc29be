"""The outside world for demonstrations and tests: a pharmacy network and a catcher of mail and text messages.

One process with no database: what it is sent lives in its memory and dies with it.
"""
