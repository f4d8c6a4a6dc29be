from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from consults.models.visits import Visit
from telehealth.records.models import Patient
from telehealth.vault.fields import SealedJSONField
from telehealth.vault.models import SealedModel


class Note(SealedModel):
    """A visit's note: a draft that its author rewrites, then signed and never changed. A correction is another note.

    A trigger holds what is signed, whatever path writes: see migration 0002. `digest` and `signature` cover the
    canonical content, a random salt in it, so that they tell nothing about short texts.
    """

    class Status(models.TextChoices):
        DRAFT = "draft"
        SIGNED = "signed"

    visit = models.ForeignKey(Visit, models.PROTECT, related_name="notes")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="notes")
    author_id = models.UUIDField()  # the account
    amends = models.ForeignKey("self", models.PROTECT, null=True, related_name="addenda")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.DRAFT)
    version = models.PositiveIntegerField(default=1)
    labels = ArrayField(
        models.CharField(max_length=16), default=list, db_default=[]
    )  # sensitive categories, as tokens of telehealth.records.labels
    body = SealedJSONField()  # {subjective, objective, assessment, plan, salt}
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    signed_at = models.DateTimeField(null=True)
    digest = models.BinaryField(max_length=32, null=True)
    signature = models.BinaryField(max_length=64, null=True)
    key_id = models.UUIDField(null=True)
    shred_columns = {"labels": []}

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["visit", "author_id"], condition=Q(status="draft"), name="note_one_draft_per_author"),
            models.CheckConstraint(
                name="note_signed_is_signed",
                condition=Q(status="draft", signed_at=None, digest=None, signature=None, key_id=None)
                | Q(status="signed", signed_at__isnull=False, digest__isnull=False, signature__isnull=False, key_id__isnull=False),
            ),
        ]
