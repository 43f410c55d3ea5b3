"""Every layer that text may name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ganwright.networks.keras import convolution, dense, elementwise, merging, noise, normalization, pooling, reshaping
from ganwright.networks.keras.binding import bind, find_layer
from ganwright.networks.keras.layer import Layer
from ganwright.networks.keras.parse import Call
from ganwright.networks.keras.recurrent import GRU, LSTM, SimpleRNN
from ganwright.networks.keras.transposed import Conv1DTranspose, Conv2DTranspose
from ganwright.networks.keras.values import Dtype, Ignored, MaybeBatchShape, MaybeShape, Never, Shape, Unsupported
from ganwright.networks.keras.wrappers import Bidirectional, SpectralNormalization


@dataclass(frozen=True)
class Input(Layer):
    """Where records enter."""

    shape: MaybeShape = None
    batch_size: Ignored = None
    dtype: Dtype = "float32"
    sparse: Never = False
    ragged: Never = False
    batch_shape: MaybeBatchShape = None
    name: Ignored = None
    tensor: Unsupported = None
    optional: Never = False

    inputs = (0, 0)
    old_names: ClassVar = {"input_shape": "shape", "batch_input_shape": "batch_shape"}

    def __post_init__(self) -> None:
        if (self.shape is None) == (self.batch_shape is None):
            raise ValueError("needs a shape, such as Input(shape=(100,))")

    def output_shape(self, *shapes: Shape) -> Shape:
        shape = self.shape if self.batch_shape is None else self.batch_shape
        assert shape is not None
        return shape


_KINDS: tuple[type[Layer], ...] = (
    dense.Dense,
    dense.Embedding,
    reshaping.Flatten,
    reshaping.Reshape,
    reshaping.Permute,
    reshaping.RepeatVector,
    reshaping.UpSampling1D,
    reshaping.UpSampling2D,
    reshaping.ZeroPadding1D,
    reshaping.ZeroPadding2D,
    reshaping.Cropping1D,
    reshaping.Cropping2D,
    elementwise.Activation,
    elementwise.LeakyReLU,
    elementwise.ReLU,
    elementwise.PReLU,
    elementwise.ELU,
    elementwise.Softmax,
    normalization.BatchNormalization,
    normalization.LayerNormalization,
    SpectralNormalization,
    noise.Dropout,
    noise.SpatialDropout1D,
    noise.SpatialDropout2D,
    noise.GaussianNoise,
    noise.GaussianDropout,
    convolution.Conv1D,
    convolution.Conv2D,
    Conv1DTranspose,
    Conv2DTranspose,
    convolution.SeparableConv2D,
    convolution.DepthwiseConv2D,
    pooling.MaxPooling1D,
    pooling.MaxPooling2D,
    pooling.AveragePooling1D,
    pooling.AveragePooling2D,
    pooling.GlobalAveragePooling1D,
    pooling.GlobalAveragePooling2D,
    pooling.GlobalMaxPooling1D,
    pooling.GlobalMaxPooling2D,
    LSTM,
    GRU,
    SimpleRNN,
    Bidirectional,
    merging.Add,
    merging.Subtract,
    merging.Multiply,
    merging.Average,
    merging.Maximum,
    merging.Minimum,
    merging.Concatenate,
    merging.Dot,
)
ALIASES = {
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution1DTranspose": "Conv1DTranspose",
    "Convolution2DTranspose": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
    "MaxPool1D": "MaxPooling1D",
    "MaxPool2D": "MaxPooling2D",
    "AvgPool1D": "AveragePooling1D",
    "AvgPool2D": "AveragePooling2D",
    "GlobalAvgPool1D": "GlobalAveragePooling1D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
    "GlobalMaxPool1D": "GlobalMaxPooling1D",
    "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "InputLayer": "Input",
}
"""Keras's second names."""
LAYERS: dict[str, type[Layer]] = {kind.__name__: kind for kind in (Input, *_KINDS)}
"""By Keras's first names."""


def read_layer(call: Call) -> Layer:
    """The layer that a call writes down.

    Raises:
        UsageError: the name or an argument is unknown, not supported, or wrong.
    """
    return bind(call, find_layer(call, LAYERS, ALIASES))
