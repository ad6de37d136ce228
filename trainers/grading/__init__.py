"""Predictions against truth: metrics, paired intervals, and what is said of them."""
