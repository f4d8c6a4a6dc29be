"""A FHIR R4 transaction Bundle of one patient, read twice as a stream: first who and what, then the bodies."""
