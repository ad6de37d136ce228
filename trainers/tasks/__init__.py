"""Kinds of tasks: one module each; found by being there."""
