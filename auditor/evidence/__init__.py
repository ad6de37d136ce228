"""What checks are made of: labels, masks, objects, raters, leakage, likeness, kinship, privacy, quality."""
