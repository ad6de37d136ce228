"""Label tables: reading them, and which column has which role."""
