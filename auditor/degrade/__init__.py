"""Planted flaws with their truth, and the synthetic images and files to plant them in."""
