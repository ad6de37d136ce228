"""The stages of a scan: what they need, what they provide."""
