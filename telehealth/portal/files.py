"""Our own style sheets and scripts, straight from the packages. A proxy in front may serve STATIC_ROOT instead."""

from django.contrib.staticfiles.views import serve
from django.http import HttpRequest
from django.http.response import HttpResponseBase


def static_file(request: HttpRequest, path: str) -> HttpResponseBase:
    """One static file. Its name stays the same from version to version, so a browser asks each time whether it changed."""
    response = serve(request, path, insecure=True)
    response["Cache-Control"] = "no-cache"
    return response
