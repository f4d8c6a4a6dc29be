"""The outbox's address book: where a person is reached (`OUTBOX_ADDRESS_BOOK`)."""

from uuid import UUID

from telehealth.accounts.models import User
from telehealth.accounts.selectors import mail_address
from telehealth.outbox.channels import Address
from telehealth.records.models import Patient


def address_of(person_id: UUID) -> Address | None:
    """By the id of an account, or of an invitation or an address that has none; None for nobody.

    A patient's phone and language are read from the record, which is an opening like any other.
    """
    account = User.objects.filter(pk=person_id, is_active=True).first()
    if account is None:
        email = mail_address(person_id)
        return Address(email=email) if email else None
    patient = Patient.objects.with_keys().filter(account_id=person_id).first()
    if patient is None:
        return Address(email=account.email)
    return Address(email=account.email, phone=patient.phone or "", language=patient.language)
