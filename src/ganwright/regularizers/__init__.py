"""Penalties on either player, one a file."""
