"""What several penalties share, below the leaves."""
