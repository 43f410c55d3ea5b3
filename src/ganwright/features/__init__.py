"""Networks that describe records by vectors, in which measures compare them; one a file."""
