"""Where bytes lie, one kind of place a file."""
