"""What a user keeps: the model, its file, its noise."""
