"""Proposes corrections and trains on them. Imports auditor."""
