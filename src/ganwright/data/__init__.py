"""From bytes to batches: sources, modalities, the packed dataset, the sampler."""
