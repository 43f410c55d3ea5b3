"""Numbers in a table as data: rows in, new rows out.

python examples/number_table.py             # about a minute on two CPU cores
python examples/number_table.py 20          # twenty steps, to see that it runs
"""

import sys

import numpy as np
from sklearn.datasets import load_iris

from ganwright import GAN, load

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
flowers = load_iris().data  # (150, 4): lengths and widths in cm

gan = GAN(seed=0).fit(flowers, steps=steps)
gan.save("flowers.safetensors")
new = load("flowers.safetensors").sample(1000, seed=7)  # (1000, 4), in cm again
for name, table in (("real", flowers), ("new", new)):
    print(name, "mean", np.round(table.mean(0), 2), "deviation", np.round(table.std(0), 2))
