"""Batch and layer normalisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from ganwright.networks.keras.initializers import ONES, ZEROS, Initializer
from ganwright.networks.keras.layer import KerasWeights, Layer, Now, Weight, axis_within
from ganwright.networks.keras.values import Axis, Flag, Ignored, Integers, Never, Positive, Rate, Shape, Unsupported
from ganwright.networks.parts.joint_norm import normalised_by_all
from ganwright.runtime.distributed import is_meeting


@dataclass(frozen=True)
class BatchNormalization(Layer):
    """Normalised by the batch's statistics while training, by their moving means afterwards (arXiv:1502.03167)."""

    by_itself: ClassVar[bool] = False
    axis: Axis = -1
    momentum: Rate = 0.99
    """The share of the moving means that each batch leaves."""
    epsilon: Positive = 1e-3
    center: Flag = True
    scale: Flag = True
    beta_initializer: Initializer = ZEROS
    gamma_initializer: Initializer = ONES
    moving_mean_initializer: Initializer = ZEROS
    moving_variance_initializer: Initializer = ONES
    beta_regularizer: Unsupported = None
    gamma_regularizer: Unsupported = None
    beta_constraint: Unsupported = None
    gamma_constraint: Unsupported = None
    renorm: Never = False
    renorm_clipping: Unsupported = None
    renorm_momentum: Ignored = None
    synchronized: Never = False
    fused: Ignored = None
    virtual_batch_size: Unsupported = None

    def output_shape(self, *shapes: Shape) -> Shape:
        axis_within(self.axis, shapes[0])
        return shapes[0]

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        shape = (shapes[0][axis_within(self.axis, shapes[0]) - 1],)
        return (
            *((Weight("weight", shape, self.gamma_initializer),) if self.scale else ()),
            *((Weight("bias", shape, self.beta_initializer),) if self.center else ()),
            Weight("running_mean", shape, self.moving_mean_initializer, learned=False),
            Weight("running_var", shape, self.moving_variance_initializer, learned=False),
        )

    def module(self, *shapes: Shape) -> KerasWeights:
        return BatchNormModule(self, shapes[0])


class BatchNormModule(KerasWeights, _BatchNorm):
    """(B, *shape) -> (B, *shape), one of torch's batch normalisations to whoever holds or estimates their statistics.

    It differs from torch's in two things that Keras does its own way: any axis can be the channels', and the moving variance
    takes in the batch's variance divided by N, where torch divides by N - 1.
    """

    def __init__(self, layer: BatchNormalization, shape: Shape) -> None:
        self.axis = axis_within(layer.axis, shape)
        channels = shape[self.axis - 1]
        _BatchNorm.__init__(self, channels, layer.epsilon, 1 - layer.momentum, affine=False, track_running_stats=True)
        self.make_weights(layer.weights(shape))

    def forward(self, input: Tensor) -> Tensor:
        x = input.movedim(self.axis, 1)
        # Two and four axes are what torch has kernels for; with others, what is not channels goes to the rows.
        rows = x if x.ndim in (2, 4) else x.movedim(1, -1).reshape(-1, self.num_features)
        y = self._by_all(rows) if self.training and is_meeting() else self._by_these(rows)
        return (y if x.ndim in (2, 4) else y.view(x.movedim(1, -1).shape).movedim(-1, 1)).movedim(1, self.axis)

    def _by_these(self, rows: Tensor) -> Tensor:
        """Normalised by their own statistics while training, by the moving ones otherwise."""
        mean, variance, moved = self.running_mean, self.running_var, 0.0
        if self.training:
            mean = variance = None
            if self.track_running_stats:
                assert self.running_mean is not None
                mean, variance, moved = torch.zeros_like(self.running_mean), torch.zeros_like(self.running_mean), 1.0
        cudnn = torch.backends.cudnn.enabled
        y = torch.batch_norm(rows, self.weight, self.bias, mean, variance, self.training, moved, self.eps, cudnn)
        if self.training and mean is not None and variance is not None:
            # torch gives the variance as the sum of squares over count - 1.
            count = rows.numel() // self.num_features
            self._move(mean, variance * ((count - 1) / count) if count > 1 else torch.zeros_like(variance))
        return y

    def _by_all(self, rows: Tensor) -> Tensor:
        """Normalised by the statistics of what all processes have."""
        y, mean, variance, _ = normalised_by_all(rows, self.weight, self.bias, self.eps)
        if self.track_running_stats:
            self._move(mean, variance)
        return y

    @torch.no_grad()
    def _move(self, mean: Tensor, variance: Tensor) -> None:
        """Take in a batch's mean and its variance, divided by N."""
        assert self.num_batches_tracked is not None
        assert self.running_mean is not None
        assert self.running_var is not None
        self.num_batches_tracked.add_(1)
        share = 1 / self.num_batches_tracked.to(mean.dtype) if self.momentum is None else self.momentum
        self.running_mean += share * (mean - self.running_mean)
        self.running_var += share * (variance - self.running_var)


@dataclass(frozen=True)
class LayerNormalization(Layer):
    """Each record normalised by its own statistics along some axes (Ba et al. 2016, arXiv:1607.06450)."""

    axis: Integers = (-1,)
    epsilon: Positive = 1e-3
    center: Flag = True
    scale: Flag = True
    beta_initializer: Initializer = ZEROS
    gamma_initializer: Initializer = ONES
    beta_regularizer: Unsupported = None
    gamma_regularizer: Unsupported = None
    beta_constraint: Unsupported = None
    gamma_constraint: Unsupported = None

    def _places(self, shape: Shape) -> list[int]:
        return sorted({axis_within(axis, shape) for axis in self.axis})

    def output_shape(self, *shapes: Shape) -> Shape:
        self._places(shapes[0])
        return shapes[0]

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        shape = tuple(shapes[0][place - 1] for place in self._places(shapes[0]))
        return (
            *((Weight("weight", shape, self.gamma_initializer),) if self.scale else ()),
            *((Weight("bias", shape, self.beta_initializer),) if self.center else ()),
        )

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        x, weight, bias = inputs[0], now.weights.get("weight"), now.weights.get("bias")
        places = self._places(tuple(x.shape[1:]))
        shape = [x.shape[place] for place in places]
        if places == list(range(x.ndim - len(places), x.ndim)):
            alone = None if weight is None else bias  # torch has no kernel for a bias alone in mixed precision
            normal = F.layer_norm(x, shape, weight, alone, self.epsilon)
            return normal if bias is alone or bias is None else normal + bias
        along = [x.shape[axis] if axis in places else 1 for axis in range(x.ndim)]
        variance, mean = torch.var_mean(x, places, correction=0, keepdim=True)
        x = (x - mean) * (variance + self.epsilon).rsqrt()
        x = x if weight is None else x * weight.view(along)
        return x if bias is None else x + bias.view(along)
