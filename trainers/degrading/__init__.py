"""A worse copy of a dataset on purpose, in its own form, with the truth of what was done to it."""
