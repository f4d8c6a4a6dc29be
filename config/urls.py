"""Where each app's paths hang. No logic."""

from django.contrib import admin
from django.urls import include, path

from audit.ledger.publication import witness
from audit.review import urls as review
from config import probes
from consults import urls as consults
from prescribing import urls as prescribing
from scheduling import urls as scheduling
from telehealth.accounts import urls as accounts
from telehealth.outbox import urls as outbox
from telehealth.portal.files import static_file
from telehealth.portal.home import Home
from telehealth.records import urls as records
from telehealth.rehearsal import urls as rehearsal
from telehealth.rest.schema import Schema

urlpatterns = [
    path("healthz", probes.healthz),
    path("readyz", probes.readyz),
    path("admin/", admin.site.urls),
    path("api/schema/", Schema.as_view()),
    path("api/v1/", include(accounts.api)),
    path("api/v1/", include(outbox.api)),
    path("api/v1/", include(records.api)),
    path("api/v1/", include(review.api)),
    path("api/v1/", include(scheduling.api)),
    path("api/v1/", include(consults.api)),
    path("api/v1/", include(prescribing.api)),
    path("calendars/", include(scheduling.feeds)),
    path("audit/log/<path:name>", witness.published),
    path("inbound/", include(prescribing.inbound)),
    path("", include(accounts.portal)),
    path("", Home.as_view(), name="home"),
    path("", include(records.portal)),
    path("", include(scheduling.portal)),
    path("", include(consults.portal)),
    path("", include(prescribing.portal)),
    path("static/<path:path>", static_file),
    path("dev/", include(rehearsal.dev)),
]

handler400 = "telehealth.rest.problems.bad_request"
handler404 = "telehealth.rest.problems.not_found"
handler500 = "telehealth.rest.problems.server_error"
