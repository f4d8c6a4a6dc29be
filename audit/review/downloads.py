"""What both the REST faces and the admin answer a download with."""

from django.http import StreamingHttpResponse

from audit.review.services import Export

FORMATS = ("csv", "ndjson", "fhir")


def download(export: Export) -> StreamingHttpResponse:
    """A stream that the audit unit accompanies: each part leaves after its entries are written."""
    reply = StreamingHttpResponse(export.content, content_type=export.content_type)
    reply["Content-Disposition"] = f'attachment; filename="{export.name}"'
    return reply
