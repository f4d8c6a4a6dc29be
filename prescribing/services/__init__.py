"""Every write of prescriptions: one function per thing a person, or the pharmacy network, does."""

from prescribing.services.receiving import receive
from prescribing.services.sending import Outgoing, fail, outgoing, take_answer
from prescribing.services.signing import sign
from prescribing.services.writing import discard, prescribe

__all__ = ["Outgoing", "discard", "fail", "outgoing", "prescribe", "receive", "sign", "take_answer"]
