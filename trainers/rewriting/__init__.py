"""Images in one common form, and what is left in them of earlier ones."""
