"""The HPCC bundle's DCGAN on MNIST, its layer lists and compile line unchanged.

python examples/hpcc_dcgan.py mnist/ 2000      # batches, which the bundle called epochs
"""

import sys

from ganwright import GAN

generator = [
    'layers.Input(shape=(100,))',
    'layers.Dense(128 * 7 * 7, activation="relu", input_dim=100)',
    'layers.Reshape((7, 7, 128))',
    'layers.UpSampling2D()',
    'layers.Conv2D(128, kernel_size=3, padding="same")',
    'layers.BatchNormalization(momentum=0.8)',
    'layers.Activation("relu")',
    'layers.UpSampling2D()',
    'layers.Conv2D(64, kernel_size=3, padding="same")',
    'layers.BatchNormalization(momentum=0.8)',
    'layers.Activation("relu")',
    'layers.Conv2D(1, kernel_size=3, padding="same")',
    'layers.Activation("tanh")',
    'layers.Reshape((28, 28, 1))',
]  # fmt: skip
discriminator = [
    'layers.Input(shape=(28, 28, 1))',
    'layers.Conv2D(32, kernel_size=3, strides=2, input_shape=(28, 28, 1), padding="same")',
    'layers.LeakyReLU(alpha=0.2)',
    'layers.Dropout(0.25)',
    'layers.Conv2D(64, kernel_size=3, strides=2, padding="same")',
    'layers.ZeroPadding2D(padding=((0,1),(0,1)))',
    'layers.BatchNormalization(momentum=0.8)',
    'layers.LeakyReLU(alpha=0.2)',
    'layers.Dropout(0.25)',
    'layers.Conv2D(128, kernel_size=3, strides=2, padding="same")',
    'layers.BatchNormalization(momentum=0.8)',
    'layers.LeakyReLU(alpha=0.2)',
    'layers.Dropout(0.25)',
    'layers.Conv2D(256, kernel_size=3, strides=1, padding="same")',
    'layers.BatchNormalization(momentum=0.8)',
    'layers.LeakyReLU(alpha=0.2)',
    'layers.Dropout(0.25)',
    'layers.Flatten()',
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
gan.grid(5, 5, title=f"Step_{steps}").save("dcgan.png")
gan.save("dcgan.safetensors")
print(f"{gan.model_} → dcgan.safetensors, dcgan.png")
