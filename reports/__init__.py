"""Shows results. Imports auditor.values.results only."""
