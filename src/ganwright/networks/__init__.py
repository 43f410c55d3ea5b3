"""Pairs of networks, one family a file."""
