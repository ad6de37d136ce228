"""What networks say about a dataset."""
