"""Every write to records, by subject."""

from telehealth.records.services.care import begin_care, end_care
from telehealth.records.services.importing import import_bundle

__all__ = ["begin_care", "end_care", "import_bundle"]
