"""App links: which apps the phone opens at our own https redirect addresses (Android App Links, Apple's universal links)."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, JsonResponse
from django.views import View

from telehealth.accounts.models import Application


class Android(View):
    """`assetlinks.json`: the apps of `ANDROID_APPS`, by package and certificate."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> JsonResponse:
        apps = [named.partition("=") for named in settings.ANDROID_APPS]
        if not apps:
            raise Http404
        return JsonResponse([_android(package, certificate) for package, _, certificate in apps], safe=False)


class Apple(View):
    """`apple-app-site-association`: the apps of `APPLE_APPS`, and the paths at which registered apps are called back."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> JsonResponse:
        if not settings.APPLE_APPS:
            raise Http404
        paths = [{"/": path} for path in callback_paths()]
        return JsonResponse({"applinks": {"details": [{"appIDs": settings.APPLE_APPS, "components": paths}]}})


def callback_paths() -> list[str]:
    """The paths of our own among the registered redirect addresses."""
    host = urlsplit(settings.PUBLIC_URL).netloc
    written = " ".join(Application.objects.values_list("redirect_uris", flat=True)).split()
    return sorted({parts.path for parts in map(urlsplit, written) if (parts.scheme, parts.netloc) == ("https", host)})


def _android(package: str, certificate: str) -> dict[str, Any]:
    target = {"namespace": "android_app", "package_name": package, "sha256_cert_fingerprints": [certificate]}
    return {"relation": ["delegate_permission/common.handle_all_urls"], "target": target}
