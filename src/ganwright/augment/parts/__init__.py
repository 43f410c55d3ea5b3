"""What several augmentations are made of."""
