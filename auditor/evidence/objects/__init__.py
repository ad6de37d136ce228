"""Boxes and points: likely errors."""
