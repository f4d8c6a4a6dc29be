"""The start address: where people of each role begin."""

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.views import View

from audit.ledger import Actor
from telehealth.portal.pages import guard


class Home(View):
    """Sends everybody to the page that `PORTAL_HOME` names for their role; strangers to the sign-in."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponseBase:
        who = guard(request)
        if not isinstance(who, Actor):
            return who
        return HttpResponseRedirect(reverse(settings.PORTAL_HOME.get(str(who.role), settings.PORTAL_HOME[""])))
