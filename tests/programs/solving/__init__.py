"""Runs of `solve` with a written model."""
