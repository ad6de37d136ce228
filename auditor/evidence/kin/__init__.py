"""Who is the same picture, acquisition or person."""
