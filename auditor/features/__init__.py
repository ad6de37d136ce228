"""Features: one measurement of one image per module; found by being there."""
