"""Out-of-fold predictions by the built-in probe, and the files of others."""
