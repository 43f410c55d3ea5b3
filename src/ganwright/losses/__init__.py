"""Adversarial losses on logits, one a file."""
