"""What a stretch of the log is judged by, each thing read in one query and only when a detector asks."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from audit.ledger import Act
from audit.ledger.ids import first_id_at
from audit.ledger.models import Entry
from audit.review.detectors.looks import STAFF, Look, Pair, pairs
from audit.review.detectors.names import Staff, is_namesake, staff_of
from telehealth.accounts.models import User
from telehealth.records.models import CareRelationship, Patient, Practitioner, StaffRecord
from telehealth.vault.blind import blind

FIELDS = ("id", "account_id", "name_tokens", "address_index", "address", "family", "given")
SEEING = (Act.RECORD_OPENED, Act.LEDGER_READ, Act.REFUSED)
"""Acts that are no work on a record."""


class Care(NamedTuple):
    """One care relationship, by the practitioner's account."""

    account: UUID | None
    starts: datetime
    ends: datetime | None

    def near(self, at: datetime, slack: timedelta) -> bool:
        """Whether it holds at this moment, or within `slack` of it."""
        return self.starts <= at + slack and (self.ends is None or self.ends > at - slack)


class Scene:
    """A batch of looks and what is known about who looked and whom they looked at."""

    def __init__(self, looks: Collection[Look]) -> None:
        self.looks = [look for look in looks if not look.is_oversight]
        self.by_staff: list[Pair] = pairs(look for look in self.looks if look.is_by_staff)

    @cached_property
    def staff(self) -> dict[UUID, Staff]:
        """Everybody who works here now, by account."""
        known = {each.account_id: each for each in Practitioner.objects.exclude(account_id=None)}
        people = User.objects.filter(role__in=STAFF, is_active=True).only("id", "name")
        return {
            each.pk: staff_of(each.pk, known[each.pk].family, known[each.pk].given, each.name)
            if each.pk in known
            else staff_of(each.pk, "", "", each.name)
            for each in people
        }

    @cached_property
    def patients(self) -> dict[UUID, Patient]:
        """Whom they looked at."""
        wanted = {pair.first.record for pair in self.by_staff}
        return {each.pk: each for each in Patient.objects.filter(pk__in=wanted).only(*FIELDS)}

    @cached_property
    def known_pairs(self) -> list[tuple[Pair, Staff, Patient]]:
        """Looks of people who work here at patients who are here."""
        found = ((pair, self.staff.get(pair.first.actor), self.patients.get(pair.first.record)) for pair in self.by_staff)
        return [(pair, staff, patient) for pair, staff, patient in found if staff and patient]

    @cached_property
    def namesakes(self) -> dict[UUID, set[UUID]]:
        """Patient → accounts of the staff who bear both their names."""
        by_token: dict[int, set[UUID]] = defaultdict(set)
        for staff in self.staff.values():
            for token in staff.given_tokens:
                by_token[token].add(staff.account)
        return {
            patient.pk: {account for account in _any_of(by_token, patient.name_tokens) if is_namesake(self.staff[account], patient)}
            for patient in self.patients.values()
        }

    @cached_property
    def accounts_of(self) -> dict[UUID, set[bytes]]:
        """Patient → blind indexes of the staff accounts that they have."""
        found: dict[UUID, set[bytes]] = defaultdict(set)
        for link in StaffRecord.objects.filter(patient__in=self.patients, ended_at=None).only("patient_id", "account_index"):
            found[link.patient_id].add(bytes(link.account_index))
        return found

    @cached_property
    def homes(self) -> dict[UUID, list[Patient]]:
        """Actor → their own records as patients."""
        indexes = {self.index_of(pair.first.actor): pair.first.actor for pair in self.by_staff}
        found: dict[UUID, list[Patient]] = defaultdict(list)
        for link in StaffRecord.objects.filter(account_index__in=list(indexes), ended_at=None).select_related("patient"):
            found[indexes[bytes(link.account_index)]].append(link.patient)
        return found

    @cached_property
    def care(self) -> dict[UUID, list[Care]]:
        """Patient → who cares, or cared, for them."""
        found: dict[UUID, list[Care]] = defaultdict(list)
        wanted = {pair.first.record for pair in self.by_staff}
        rows = CareRelationship.objects.filter(patient__in=wanted)
        for patient, account, starts, ends in rows.values_list("patient_id", "practitioner__account_id", "starts_at", "ends_at"):
            found[patient].append(Care(account, starts, ends))
        return found

    @cached_property
    def worked_on(self) -> set[tuple[UUID, UUID]]:
        """(actor, record) pairs with another act than looking, within a day of the batch."""
        if not self.by_staff:
            return set()
        moments = [pair.first.at for pair in self.by_staff]
        acts = Entry.objects.filter(
            id__gte=first_id_at(min(moments) - timedelta(days=1)),
            id__lt=first_id_at(max(moments) + timedelta(days=1)),
            outcome="ok",
            actor_id__in={pair.first.actor for pair in self.by_staff},
            record_id__in={pair.first.record for pair in self.by_staff},
        ).exclude(act__in=SEEING)
        return set(acts.values_list("actor_id", "record_id"))

    @cached_property
    def lists(self) -> set[str]:
        """Correlation ids of requests that showed several records: a list, or what a search found."""
        shown: dict[str, set[UUID]] = defaultdict(set)
        for look in self.looks:
            shown[look.cid].add(look.record)
        return {cid for cid, records in shown.items() if len(records) > 1}

    @staticmethod
    def index_of(account: UUID) -> bytes:
        """The blind index of a staff account."""
        return blind("records.StaffRecord.account", account)


def _any_of(by_token: Mapping[int, set[UUID]], tokens: Iterable[int]) -> set[UUID]:
    return set().union(*(by_token.get(token, ()) for token in tokens))
