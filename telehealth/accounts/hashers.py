"""How passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """Argon2id with 64 MiB, three passes, one lane (RFC 9106; OWASP ASVS 5 asks for less). Weaker hashes are renewed
    at the next sign-in."""

    time_cost = 3
    memory_cost = 64 * 1024
    parallelism = 1
