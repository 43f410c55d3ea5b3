"""Changes to what the discriminator sees, one a file."""
