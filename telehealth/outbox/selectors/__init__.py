"""Reads: what waits to leave, and how a person wants to be told."""

from telehealth.outbox.selectors.contact import Contact, consents, contact_of, contacts_of, may_text, number_of, spent, told_how
from telehealth.outbox.selectors.messages import messages_for

__all__ = ["Contact", "consents", "contact_of", "contacts_of", "may_text", "messages_for", "number_of", "spent", "told_how"]
