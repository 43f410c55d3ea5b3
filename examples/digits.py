"""Arrays in, pictures out: train on scikit-learn's hand-written digits, save one file, and sample from the file.

python examples/digits.py             # about a minute on two CPU cores
python examples/digits.py 20          # twenty steps, to see that it runs
"""

import sys

import numpy as np
from sklearn.datasets import load_digits

from ganwright import GAN, load

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 2000

digits = load_digits()
images = np.round(digits.images * (255 / 16)).astype(np.uint8)  # (1797, 8, 8)

gan = GAN(recipe="dcgan", seed=0).fit((images, digits.target), steps=steps)
gan.save("digits.safetensors")

model = load("digits.safetensors")
model.grid(8, 8, seed=7).save("digits.png")
print(model, "→ digits.png")
