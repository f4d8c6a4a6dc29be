from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "audit.review"
    label = "review"
    verbose_name = "Audit review"
