"""A Keras user's compile call as settings."""

from __future__ import annotations

from typing import Any

import pytest

from ganwright.core.errors import UsageError
from ganwright.networks.keras.compiling import read_compile

ADAM = {"name": "adam", "learning_rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7, "form": "keras"}
RMSPROP = {"name": "rmsprop", "learning_rate": 0.001, "decay": 0.9, "momentum": 0.0, "epsilon": 1e-7, "form": "keras"}
SGD = {"name": "sgd", "learning_rate": 0.01, "momentum": 0.0, "nesterov": False}


@pytest.mark.parametrize("metrics", ["", ", metrics=['accuracy']"])
@pytest.mark.parametrize("before", ["", "model.", "tf.keras.Model."])
def test_the_bundle_s_call(metrics: str, before: str) -> None:
    text = f"{before}compile(loss='binary_crossentropy', optimizer=tf.keras.optimizers.Adam(0.0002, 0.5){metrics})"
    assert read_compile(text) == {
        "loss": {"name": "non_saturating"},
        "optimizer": {**ADAM, "learning_rate": 0.0002, "beta1": 0.5},
    }


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("'binary_crossentropy'", "non_saturating"),
        ("'BinaryCrossentropy'", "non_saturating"),
        ("'bce'", "non_saturating"),
        ("tf.keras.losses.binary_crossentropy", "non_saturating"),
        ("tf.keras.losses.BinaryCrossentropy()", "non_saturating"),
        ("tf.keras.losses.BinaryCrossentropy(from_logits=True)", "non_saturating"),
        ("'mse'", "least_squares"),
        ("'mean_squared_error'", "least_squares"),
        ("keras.losses.MeanSquaredError()", "least_squares"),
        ("'MSE'", "least_squares"),
        ("'hinge'", "hinge"),
        ("keras.losses.Hinge()", "hinge"),
    ],
)
def test_losses(text: str, name: str) -> None:
    assert read_compile(f"compile(loss={text}, optimizer='adam')")["loss"] == {"name": name}


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("'adam'", ADAM),
        ("'Adam'", ADAM),
        ("tf.keras.optimizers.Adam", ADAM),
        ("Adam(lr=0.1)", {**ADAM, "learning_rate": 0.1}),
        (
            "keras.optimizers.legacy.Adam(0.1, 0.2, 0.3, 1e-4)",
            {**ADAM, "learning_rate": 0.1, "beta1": 0.2, "beta2": 0.3, "epsilon": 1e-4},
        ),
        (
            "Adam(learning_rate=1 / 4, beta_1=0.5, name='a', decay=0, clipnorm=None)",
            {**ADAM, "learning_rate": 0.25, "beta1": 0.5},
        ),
        ("'rmsprop'", RMSPROP),
        ("RMSprop(5e-5, rho=0.8, momentum=0.1)", {**RMSPROP, "learning_rate": 5e-5, "decay": 0.8, "momentum": 0.1}),
        ("'sgd'", SGD),
        ("tf.optimizers.SGD(0.1, 0.9, True)", {**SGD, "learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ],
)
def test_optimizers(text: str, settings: dict[str, Any]) -> None:
    assert read_compile(f"compile(loss='bce', optimizer={text})")["optimizer"] == settings


def test_places_and_defaults_are_keras_s() -> None:
    assert read_compile("compile('sgd', 'mse')") == {"loss": {"name": "least_squares"}, "optimizer": SGD}
    assert read_compile("compile(loss='mse')")["optimizer"] == RMSPROP


@pytest.mark.parametrize(
    ("text", "code", "message", "hint"),
    [
        ("compile(loss='wasserstein')", "09", "unknown or unsupported loss 'wasserstein'", "known: binary_crossentropy"),
        ("compile(loss='hinje')", "09", "loss 'hinje'", "did you mean hinge?"),
        ("compile(loss='bce', optimizer='adamw')", "09", "optimizer 'adamw'", "did you mean Adam?"),
        ("compile(loss='bce', optimizer=Ftrl(0.1))", "09", "optimizer Ftrl(0.1)", "known: Adam, RMSprop, SGD"),
        ("compile(loss='bce', optimizer=Adam(beta1=0.5))", "03", "Adam has no argument 'beta1'", "did you mean beta_1?"),
        ("compile(loss='bce', optimizer=Adam(-1))", "03", "learning_rate must be a number of at least 0", ""),
        ("compile(loss='bce', optimizer=Adam('fast'))", "03", "not 'fast'", ""),
        ("compile(loss='bce', optimizer=Adam(clipnorm=1.0))", "04", "clipnorm=1.0 is not supported", ""),
        ("compile(loss='bce', optimizer=Adam(decay=1e-6))", "04", "decay=1e-06 is not supported", ""),
        ("compile(loss='bce', optimizer=Adam(amsgrad=True))", "04", "amsgrad=True is not supported", ""),
        ("compile(loss='bce', optimizer=Adam(ExponentialDecay(1, 2, 3)))", "04", "is not supported", "schedules"),
        ("compile(loss=BinaryCrossentropy(label_smoothing=0.1))", "04", "label_smoothing=0.1 is not supported", ""),
        ("compile(loss='bce', loss_weights=[1])", "04", "loss_weights=(1,) is not supported", ""),
        ("compile(optimizer='adam')", "09", "names no loss", "compile(loss="),
        ("compile(loss=3)", "03", "loss must be a name", ""),
        ("compile(los='bce')", "03", "compile has no argument 'los'", "did you mean loss?"),
        ("fit(loss='bce')", "09", "fit is not a compile call", ""),
        ("compile(loss=lambda a, b: a)", "01", "cannot be read", ""),
        ("__import__('os').compile()", "01", "cannot be read", ""),
    ],
)
def test_what_is_refused(text: str, code: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_compile(text)
    assert caught.value.code == f"E-LAYERS-{code}"
    assert message in caught.value.what
    assert caught.value.where
    assert not hint or any(hint in line for line in caught.value.hints)
    assert len(str(caught.value).splitlines()) <= 6
