from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Consults(AppConfig):
    name = "consults"
    label = "consults"
    verbose_name = _("Visits")
