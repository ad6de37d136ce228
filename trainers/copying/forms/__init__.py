"""A label table in the user's own form with corrected columns beside the original ones: csv text, JSON records, Parquet."""
