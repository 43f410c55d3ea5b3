"""The HPCC bundle's conditional GAN on MNIST, as rows of (name, layer, predecessors): noise and a digit in, that digit out.

python examples/hpcc_conditional.py mnist/ 5000
"""

import sys

from ganwright import GAN

generator = [
    ("input_g1", 'layers.Input(shape=(100,))', []),
    ("input_g2", 'layers.Input(shape=(1,), dtype="int32")', []),
    ("embedded", 'layers.Embedding(10, 100)', ["input_g2"]),
    ("flat", 'layers.Flatten()', ["embedded"]),
    ("told", 'layers.Multiply()', ["input_g1", "flat"]),
    ("dense1", 'layers.Dense(256)', ["told"]),
    ("leaky1", 'layers.LeakyReLU(alpha=0.2)', ["dense1"]),
    ("norm1", 'layers.BatchNormalization(momentum=0.8)', ["leaky1"]),
    ("dense2", 'layers.Dense(512)', ["norm1"]),
    ("leaky2", 'layers.LeakyReLU(alpha=0.2)', ["dense2"]),
    ("norm2", 'layers.BatchNormalization(momentum=0.8)', ["leaky2"]),
    ("dense3", 'layers.Dense(1024)', ["norm2"]),
    ("leaky3", 'layers.LeakyReLU(alpha=0.2)', ["dense3"]),
    ("norm3", 'layers.BatchNormalization(momentum=0.8)', ["leaky3"]),
    ("pixels", 'layers.Dense(784, activation="tanh")', ["norm3"]),
    ("output_g1", 'layers.Reshape((28, 28, 1))', ["pixels"]),
]  # fmt: skip
discriminator = [
    ("input_d1", 'layers.Input(shape=(28, 28, 1))', []),
    ("input_d2", 'layers.Input(shape=(1,), dtype="int32")', []),
    ("embedded", 'layers.Embedding(10, 784)', ["input_d2"]),
    ("flat_class", 'layers.Flatten()', ["embedded"]),
    ("flat_picture", 'layers.Flatten()', ["input_d1"]),
    ("told", 'layers.Multiply()', ["flat_picture", "flat_class"]),
    ("dense1", 'layers.Dense(512)', ["told"]),
    ("leaky1", 'layers.LeakyReLU(alpha=0.2)', ["dense1"]),
    ("dense2", 'layers.Dense(512)', ["leaky1"]),
    ("leaky2", 'layers.LeakyReLU(alpha=0.2)', ["dense2"]),
    ("drop2", 'layers.Dropout(0.4)', ["leaky2"]),
    ("dense3", 'layers.Dense(512)', ["drop2"]),
    ("leaky3", 'layers.LeakyReLU(alpha=0.2)', ["dense3"]),
    ("drop3", 'layers.Dropout(0.4)', ["leaky3"]),
    ("output_d1", 'layers.Dense(1, activation="sigmoid")', ["drop3"]),
]  # fmt: skip

gan = GAN(
    generator=generator,
    discriminator=discriminator,
    compile="compile(loss='binary_crossentropy', optimizer=tf.keras.optimizers.Adam(0.0002, 0.5), metrics=['accuracy'])",
    noise="uniform",
    batch=100,
)
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 5000
gan.fit(sys.argv[1], steps=steps)  # the networks take the labels that lie beside the pictures
gan.grid(by_class=True).save("classes.png")
gan.sample(10, label=7)[0].save("seven.png")
gan.save("conditional.safetensors")
print(f"{gan.model_} → conditional.safetensors, classes.png (one row a digit), seven.png")
