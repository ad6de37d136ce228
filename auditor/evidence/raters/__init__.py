"""Experts: how far they agree, how good each one is, whether they drift, and what their consensus is worth."""
