"""Finds what is wrong in a medical-imaging dataset. Imports neither trainers nor reports."""
