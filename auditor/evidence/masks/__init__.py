"""Drawn masks: facts, likely errors."""
