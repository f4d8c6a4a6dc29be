"""Prescriptions: written in a visit, signed for good, sent to a pharmacy, and what the pharmacy answered."""
