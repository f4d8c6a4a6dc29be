"""The signature that every message to and from the pharmacy network carries, in a header of its own."""

from telehealth.core.signature import WINDOW_SECONDS, fault, sign

__all__ = ["HEADER", "WINDOW_SECONDS", "fault", "sign"]

HEADER = "X-Network-Signature"
