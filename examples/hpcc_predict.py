"""Predict in another process, any number of times, with other noise each time: the file is all it takes.

python examples/hpcc_predict.py dense.safetensors
"""

import sys

from ganwright import load

model = load(sys.argv[1])
for seed in range(3):
    model.grid(5, 5, seed=seed, title=f"seed {seed}").save(f"predicted_{seed}.png")
for number, picture in enumerate(model.sample(4, seed=7)):
    picture.save(f"picture_{number}.jpg")
model.grid(5, 5, noise="truncated").save("typical.png")  # not the noise it was trained with: more typical, less varied
print(f"{model} → predicted_0.png ... predicted_2.png, picture_0.jpg ..., typical.png")
