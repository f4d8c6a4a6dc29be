"""Where signalling waits: per visit its rights, seats and presence, per recipient a numbered stream.

All of it is in Redis, all of it perishable; the database knows who may, and Redis asks again within seconds.
"""
