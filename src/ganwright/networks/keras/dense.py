"""Dense layers and embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from ganwright.networks.keras.activations import LINEAR
from ganwright.networks.keras.elementwise import AnyActivation
from ganwright.networks.keras.initializers import GLOROT_UNIFORM, UNIFORM, ZEROS, Initializer
from ganwright.networks.keras.layer import Activated, Layer, Now, Weight
from ganwright.networks.keras.values import Count, Flag, Ignored, Never, Shape, Unsupported


@dataclass(frozen=True)
class Dense(Activated):
    """A matrix product over the last axis."""

    units: Count
    activation: AnyActivation = LINEAR
    use_bias: Flag = True
    kernel_initializer: Initializer = GLOROT_UNIFORM
    bias_initializer: Initializer = ZEROS
    kernel_regularizer: Unsupported = None
    bias_regularizer: Unsupported = None
    activity_regularizer: Unsupported = None
    kernel_constraint: Unsupported = None
    bias_constraint: Unsupported = None
    lora_rank: Unsupported = None
    lora_alpha: Unsupported = None
    quantization_config: Unsupported = None

    def output_shape(self, *shapes: Shape) -> Shape:
        if not shapes[0]:
            raise ValueError("needs records of one axis or more")
        return (*shapes[0][:-1], self.units)

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        kernel = Weight("weight", (shapes[0][-1], self.units), self.kernel_initializer, (1, 0))
        return (kernel, Weight("bias", (self.units,), self.bias_initializer)) if self.use_bias else (kernel,)

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        return self.activation(F.linear(inputs[0], now.weights["weight"], now.weights.get("bias")))


@dataclass(frozen=True)
class Embedding(Layer):
    """A learned vector for each whole number."""

    input_dim: Count
    output_dim: Count
    embeddings_initializer: Initializer = UNIFORM
    embeddings_regularizer: Unsupported = None
    embeddings_constraint: Unsupported = None
    mask_zero: Never = False
    weights_given: Unsupported = None
    lora_rank: Unsupported = None
    lora_alpha: Unsupported = None
    quantization_config: Unsupported = None
    input_length: Ignored = None

    old_names: ClassVar = {"weights": "weights_given"}

    def output_shape(self, *shapes: Shape) -> Shape:
        return (*shapes[0], self.output_dim)

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        return (Weight("weight", (self.input_dim, self.output_dim), self.embeddings_initializer),)

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        return F.embedding(inputs[0].long(), now.weights["weight"])
