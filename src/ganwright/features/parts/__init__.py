"""What several feature networks share; below them."""
