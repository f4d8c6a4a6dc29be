"""Health data is sealed here, under a key per patient record; the only way to it registers an opening."""

from telehealth.vault.compare import matches

__all__ = ["matches"]
