"""Networks that a user brings along as torch modules."""
