"""Patients, practitioners, care, delegation and clinical resources: who may see whose record, and what it holds."""
