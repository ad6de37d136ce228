"""Strategies: one module each; found by being there."""
