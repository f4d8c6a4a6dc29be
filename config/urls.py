"""Where each app's paths hang. No logic."""

from django.contrib import admin
from django.urls import path

from config import probes

urlpatterns = [
    path("healthz", probes.healthz),
    path("readyz", probes.readyz),
    path("admin/", admin.site.urls),
]
