"""Time series: rows that belong together and follow each other."""
