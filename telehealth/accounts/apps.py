"""App registration; the admin site that stands behind the second factor."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class AccountsConfig(AppConfig):
    name = "telehealth.accounts"
    label = "accounts"


class AdminSiteConfig(admin_apps.AdminConfig):
    """Instead of `django.contrib.admin` in INSTALLED_APPS."""

    default = False
    default_site = "telehealth.accounts.admin_site.StaffSite"
