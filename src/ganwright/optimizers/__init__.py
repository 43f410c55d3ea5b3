"""Optimizers by name, one a file."""
