"""Shows results. Imports auditor.types only."""
