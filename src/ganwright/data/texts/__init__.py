"""Texts: what a file of lines holds, pieces of words, counts of what follows what."""
