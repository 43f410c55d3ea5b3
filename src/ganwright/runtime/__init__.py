"""The machine: device, memory, randomness, processes, files, signals. No GAN."""
