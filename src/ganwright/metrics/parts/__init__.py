"""What several measures share; below them."""
