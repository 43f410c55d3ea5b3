"""The HPCC bundle's dense GAN on MNIST, its layer lists and compile line unchanged; trains, and saves one file.

python examples/hpcc_dense.py mnist/ 2000      # batches, which the bundle called epochs
python examples/hpcc_predict.py dense.safetensors
"""

import sys

from ganwright import GAN

generator = [
    'layers.Input(shape=(100,))',
    'layers.Dense(256, input_dim=100)',
    'layers.LeakyReLU(alpha=0.2)',
    'layers.BatchNormalization(momentum=0.8)',
    'layers.Dense(512)',
    'layers.LeakyReLU(alpha=0.2)',
    'layers.BatchNormalization(momentum=0.8)',
    'layers.Dense(1024)',
    'layers.LeakyReLU(alpha=0.2)',
    'layers.BatchNormalization(momentum=0.8)',
    'layers.Dense(784, activation="tanh")',
    'layers.Reshape((28, 28, 1))',
]  # fmt: skip
discriminator = [
    'layers.Input(shape=(28, 28, 1))',
    'layers.Flatten(input_shape=(28, 28, 1))',
    'layers.Dense(512)',
    'layers.LeakyReLU(alpha=0.2)',
    'layers.Dense(256)',
    'layers.LeakyReLU(alpha=0.2)',
    'layers.Dense(1, activation="sigmoid")',
]  # fmt: skip

gan = GAN(
    generator=generator,
    discriminator=discriminator,
    compile="compile(loss='binary_crossentropy', optimizer=tf.keras.optimizers.Adam(0.0002, 0.5))",
    noise="uniform",
    batch=100,
)
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
gan.fit(sys.argv[1], steps=steps)
gan.grid(5, 5, title=f"Step_{steps}").save("dense.png")
gan.save("dense.safetensors", discriminator=True)  # layers, weights and settings together
print(f"{gan.model_} → dense.safetensors, dense.png")
