"""Networks given as text, the way a Keras user writes layers: read without evaluation, with Keras's mathematics."""
