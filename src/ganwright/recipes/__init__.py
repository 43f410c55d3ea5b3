"""Whole GANs by name, one a file."""
