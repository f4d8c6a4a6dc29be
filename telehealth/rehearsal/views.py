"""`/dev/`: what a demonstration may look at, and nothing else ever may."""

import json

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from telehealth.rehearsal import mail

LOOPBACK = {"127.0.0.1", "::1"}


@never_cache
@require_GET
def outbox(request: HttpRequest) -> HttpResponse:
    """Mail and text messages that were caught, newest last. 404 outside a demonstration and from anywhere but here."""
    if not settings.DEMO or request.META.get("REMOTE_ADDR") not in LOOPBACK:
        raise Http404
    try:
        messages = mail.caught()
    except (OSError, json.JSONDecodeError):
        return JsonResponse({"code": "catcher_unavailable"}, status=503)
    if request.GET.get("format") == "json" or request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        return JsonResponse(messages, safe=False)
    return render(request, "rehearsal/outbox.html", {"messages": messages[::-1]})
