"""Proofs over REST: documents for `python -m audit.verify`, and how the log is doing."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.review import services
from telehealth.accounts.access import Action, Resource
from telehealth.rest.faces import Face
from telehealth.rest.shapes import Shape

LARGEST = (1 << 53) - 1


class EntryProofOut(Shape):
    """A document of `python -m audit.verify`: the entry, where it stands, and the siblings up to the signed root (base64)."""

    format = serializers.CharField()
    kind = serializers.CharField()
    checkpoint = serializers.CharField(help_text="C2SP tlog-checkpoint, signed")
    public_key = serializers.CharField(help_text="Ed25519, hex")
    entry = serializers.DictField()
    mac = serializers.CharField()
    leaf_index = serializers.IntegerField()
    proof = serializers.ListField(child=serializers.CharField())


class ConsistencyOut(Shape):
    """A document of `python -m audit.verify`: the log of `checkpoint` continues that of `older`."""

    format = serializers.CharField()
    kind = serializers.CharField()
    checkpoint = serializers.CharField()
    public_key = serializers.CharField()
    older = serializers.CharField()
    proof = serializers.ListField(child=serializers.CharField())


class Sizes(Shape):
    """Two sizes of the log that have a checkpoint; without `second`, the newest published one."""

    first = serializers.IntegerField(min_value=0, max_value=LARGEST)
    second = serializers.IntegerField(min_value=0, max_value=LARGEST, required=False)


class VerificationOut(Shape):
    """What the last `manage.py verify_audit` found."""

    at = serializers.DateTimeField()
    ok = serializers.BooleanField()
    size = serializers.IntegerField()
    damages = serializers.IntegerField()
    first = serializers.CharField(help_text="The kind of the first damage")


class StatusOut(Shape):
    """The chain: sealed entries, when last, how many wait and for how long, what is published, what was verified."""

    size = serializers.IntegerField()
    root_hash = serializers.CharField(source="root", help_text="Hex; empty before the first checkpoint")
    sealed_at = serializers.DateTimeField(allow_null=True)
    unsealed = serializers.IntegerField(help_text="Counted up to 10,000")
    lag_seconds = serializers.FloatField(source="lag")
    verification = VerificationOut(allow_null=True)
    published = serializers.IntegerField()
    checkpoint = serializers.CharField()


class AccessProofs(Face):
    """Who opened this record, as a document of JSON lines to download: each entry with its proof.

    `python -m audit.verify FILE` checks it anywhere. Needs a fresh factor.
    """

    access = (Action.EXPORT, Resource.ACCESS_LOG)

    def get(self, request: Request, pk: UUID) -> StreamingHttpResponse:
        lines: Iterator[bytes] = services.download_accesses(patient_id=pk, by=self.by)
        headers = {"Content-Disposition": f'attachment; filename="accesses-{pk}.jsonl"'}
        return StreamingHttpResponse(lines, content_type="application/x-ndjson", headers=headers)


class EntryProof(Face):
    """That one entry is in the log. Needs a fresh factor."""

    access = (Action.EXPORT, Resource.AUDIT_ENTRY)
    shape_out = EntryProofOut

    def get(self, request: Request, pk: UUID) -> Response:
        return Response(services.prove_entry(entry_id=pk, by=self.by))


class Consistency(Face):
    """That the log only grew between two checkpoints."""

    access = (Action.READ, Resource.AUDIT_ENTRY)
    shape_query = Sizes
    shape_out = ConsistencyOut

    def get(self, request: Request) -> Response:
        asked: dict[str, Any] = self.asked(Sizes)
        return Response(services.prove_consistency(first=asked["first"], second=asked.get("second"), by=self.by))


class ChainStatus(Face):
    """How the log is doing."""

    access = (Action.READ, Resource.AUDIT_ENTRY)
    shape_out = StatusOut

    def get(self, request: Request) -> Response:
        return Response(StatusOut(services.read_status(by=self.by)).data)
