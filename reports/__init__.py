"""Shows results. Imports auditor.values alone."""
