"""Pictures and masks of a collection, decoded once into one array."""
