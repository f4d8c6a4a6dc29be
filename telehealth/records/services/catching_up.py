"""Data of a release that knew less: what later code expects of every row is made good, once; to run again does no harm."""

from collections.abc import Iterator
from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record
from telehealth.records.importing import dea
from telehealth.records.models import DeaNumber, Organization, Practitioner
from telehealth.records.services.labelling import label_again
from telehealth.vault import reindexing

BATCH = 200
Holder = type[Practitioner] | type[Organization]


def catch_up(*, by: Actor) -> Iterator[tuple[str, int]]:
    """Blind indexes that an older release did not write, DEA numbers that it kept in the clear, charts that it did not
    label: (what, rows changed), batch by batch. For the operator's command after an upgrade, beside traffic."""
    for count in reindexing.fill_missing():
        yield "indexes", count
    for table in (Practitioner, Organization):
        for count in _seal_dea_numbers(table, by):
            yield "dea_numbers", count
    for count in label_again(by=by):
        yield "labels", count
    with transaction.atomic():
        record(by, Act.DATA_CAUGHT_UP)


def _seal_dea_numbers(table: Holder, by: Actor) -> Iterator[int]:
    after = UUID(int=0)
    while ids := list(table.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            yield sum(_sealed(row, by) for row in table.objects.select_for_update().filter(pk__in=ids))
        after = ids[-1]


def _sealed(row: Practitioner | Organization, by: Actor) -> bool:
    """The digest of the source goes too: with all else known, a DEA number can be guessed from it."""
    rest, number = dea.taken_out(row.source)
    if not number:
        return False
    if row.identity.endswith(f"|{number}"):
        row.identity = dea.identity(number)
    row.source, row.source_digest = rest, ""
    row.save(update_fields=["source", "source_digest", "identity"])
    if not DeaNumber.objects.filter(holder_id=row.pk).exists():
        DeaNumber.objects.create(holder_id=row.pk, number=number)
    record(by, Act.DATA_CAUGHT_UP, row)
    return True
