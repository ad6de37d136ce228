"""What the corrected copy is made of: the table, its cells, what is remembered, where it lies."""
