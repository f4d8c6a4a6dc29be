from telehealth.outbox.models.contact import ContactConsent, ContactPreference, InboundText, Purpose, SentText, Source, Verdict, Way
from telehealth.outbox.models.messages import Message, State

__all__ = ["ContactConsent", "ContactPreference", "InboundText", "Message", "Purpose", "SentText", "Source", "State", "Verdict", "Way"]
