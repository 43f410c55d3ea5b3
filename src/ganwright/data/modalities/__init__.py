"""What bytes mean, one meaning a file."""
