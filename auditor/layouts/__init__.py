"""One module per way a dataset lies on disk; each has `detect` and `load` (see `auditor.layout`)."""
