"""Recordings in, new sounds out; labels are in the names of the files: seven_anna_3.wav.

python examples/sounds.py recordings/              # ten minutes
python examples/sounds.py recordings/ 20           # twenty steps, to see that it runs
"""

import sys

from ganwright import GAN, Sound, load

length = {"steps": int(sys.argv[2])} if len(sys.argv) > 2 else {"minutes": 10}
gan = GAN(modality=Sound(label_from="{label}_*.wav"), seed=0).fit(sys.argv[1], **length)
print("\n".join(gan.data_report_.lines()))
gan.save("sounds.safetensors")

model = load("sounds.safetensors")
model.grid(by_class=True, seed=7).save("sounds.png")  # a row of spectrograms for each label
for number, clip in enumerate(model.sample(4, seed=7)):
    print(f"{clip.seconds:.2f} s at {clip.rate} Hz → {clip.save(f'sound{number}.wav')}")
