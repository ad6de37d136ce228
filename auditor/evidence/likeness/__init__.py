"""Near-duplicates: candidates by shared words, verified on pixels."""
