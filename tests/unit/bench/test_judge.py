"""The judge of generated digits: its arithmetic always, its verdicts where a trained judge is already cached."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

pytestmark = pytest.mark.costly

BENCH = Path(__file__).resolve().parents[3] / "bench"
sys.path.insert(0, str(BENCH))  # The benches are scripts, not a package; they find one another by their own folder.

import judge  # noqa: E402  # pyright: ignore[reportMissingImports]


@pytest.fixture(scope="module")
def mnist() -> judge.Mnist:
    """The real digits, where they are at hand."""
    try:
        return judge.read_mnist()
    except judge.MnistMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def referee(mnist: judge.Mnist) -> judge.Judge:
    """The cached judge; training one takes minutes, so without one these tests are skipped."""
    cached = judge.cache_path(mnist)
    if not cached.is_file():
        pytest.skip(f"no trained judge at {cached}; run bench/judge.py once")
    return judge._load(cached)


@pytest.fixture(scope="module")
def digits(mnist: judge.Mnist) -> tuple[np.ndarray, np.ndarray]:
    """1,500 test digits (1500, 28, 28) with their labels (1500,), drawn at random with another seed than the floor's."""
    rows = np.random.default_rng(41).permutation(10_000)[:1500]
    return mnist.test_images[rows], mnist.test_labels[rows]


def _moments(mean: list[float], covariance: np.ndarray) -> judge.Moments:
    return judge.Moments(np.array(mean), covariance)


def test_frechet_of_commuting_gaussians_is_the_closed_form() -> None:
    a = _moments([0.0, 1.0, 2.0], np.diag([4.0, 9.0, 1.0]))
    b = _moments([1.0, 1.0, 0.0], np.diag([1.0, 25.0, 0.0]))
    # |mean gap|^2 + sum of squared gaps between standard deviations; the last axis of b is singular.
    assert judge.frechet_of_moments(a, b) == pytest.approx((1 + 4) + (1 + 4 + 1), rel=1e-12)


def test_frechet_of_gaussians_that_do_not_commute_agrees_with_the_closed_form_of_two_axes() -> None:
    a, b = np.array([[3.0, 1.0], [1.0, 2.0]]), np.array([[1.0, -0.5], [-0.5, 4.0]])
    # In two dimensions tr sqrt(M) = sqrt(tr M + 2 sqrt(det M)), with M = a b.
    product = a @ b
    root = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    expected = np.trace(a) + np.trace(b) - 2 * root
    assert judge.frechet_of_moments(_moments([0, 0], a), _moments([0, 0], b)) == pytest.approx(expected, rel=1e-12)


def test_frechet_is_symmetric_and_zero_only_for_the_same_moments() -> None:
    draw = np.random.default_rng(0)
    a, b = draw.normal(size=(500, 16)), draw.normal(size=(500, 16)) * 1.5
    a[:, 3] = 0.0
    assert judge.frechet(a, a) == pytest.approx(0.0, abs=1e-10)
    assert judge.frechet(a, a[::-1]) == pytest.approx(0.0, abs=1e-10)
    assert judge.frechet(a, b) == pytest.approx(judge.frechet(b, a), rel=1e-10)
    assert judge.frechet(a, b) > 1.0


def test_frechet_of_samples_approaches_the_distance_of_their_gaussians() -> None:
    draw = np.random.default_rng(1)
    a = draw.normal(size=(100_000, 4))
    b = draw.normal(size=(100_000, 4)) * 2.0 + 3.0
    assert judge.frechet(a.astype(np.float32), b.astype(np.float32)) == pytest.approx(4 * 9 + 4 * 1, rel=0.01)


def test_moments_are_the_mean_and_the_unbiased_covariance() -> None:
    features = np.random.default_rng(2).normal(size=(50, 3))
    moments = judge.Moments.of(features)
    np.testing.assert_allclose(moments.mean, features.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(moments.covariance, np.cov(features.T), rtol=1e-12)
    with pytest.raises(judge.JudgeError, match="two or more"):
        judge.Moments.of(features[:1])


def test_spread_is_near_the_scatter_between_draws() -> None:
    draw = np.random.default_rng(3)
    reference = judge.Moments(np.zeros(4), np.eye(4))
    samples = [draw.normal(size=(400, 4)) + 1.0 for _ in range(60)]
    between = np.std([judge.frechet_of_moments(judge.Moments.of(sample), reference) for sample in samples], ddof=1)
    within = np.mean([judge.frechet_spread(sample, reference, seed) for seed, sample in enumerate(samples[:10])])
    assert within == pytest.approx(between, rel=0.35)
    assert judge.frechet_spread(samples[0], reference, 7) == judge.frechet_spread(samples[0], reference, 7)


def test_reads_pngs_in_the_order_of_their_names_and_npy_alike(tmp_path: Path) -> None:
    pictures = np.random.default_rng(4).integers(0, 256, (12, 28, 28), dtype=np.uint8)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in reversed(range(12)):
        Image.fromarray(pictures[index]).save(folder / f"{index:06d}.png")
    np.save(tmp_path / "pictures.npy", pictures)
    np.testing.assert_array_equal(judge.read_pictures(folder), pictures)
    np.testing.assert_array_equal(judge.read_pictures(tmp_path / "pictures.npy"), pictures)


def test_refuses_pictures_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(judge.JudgeError, match=r"no \.png files"):
        judge.read_pictures(tmp_path)
    with pytest.raises(judge.JudgeError, match="neither a folder"):
        judge.read_pictures(tmp_path / "absent.npy")
    Image.new("RGB", (28, 28)).save(tmp_path / "colour.png")
    with pytest.raises(judge.JudgeError, match="RGB 28x28"):
        judge.read_pictures(tmp_path)
    np.save(tmp_path / "float.npy", np.zeros((3, 28, 28)))
    with pytest.raises(judge.JudgeError, match="float64"):
        judge.read_pictures(tmp_path / "float.npy")
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(judge.JudgeError, match="cannot be read"):
        judge.read_pictures(tmp_path / "objects.npy")


def _write_idx(path: Path, values: np.ndarray) -> None:
    header = bytes([0, 0, 8, values.ndim]) + b"".join(length.to_bytes(4, "big") for length in values.shape)
    path.write_bytes(gzip.compress(header + values.tobytes()))


def test_reads_idx_files_and_knows_their_digest_whatever_the_compression(tmp_path: Path) -> None:
    with pytest.raises(judge.MnistMissing, match="train-images-idx3"):
        judge.read_mnist(tmp_path)
    images = np.arange(3 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(3, 28, 28)
    for half in ("train", "t10k"):
        _write_idx(tmp_path / f"{half}-images-idx3-ubyte.gz", images)
        _write_idx(tmp_path / f"{half}-labels-idx1-ubyte.gz", np.array([7, 0, 9], dtype=np.uint8))
    data = judge.read_mnist(tmp_path)
    np.testing.assert_array_equal(data.test_images, images)
    assert data.train_labels.tolist() == [7, 0, 9]
    whole = tmp_path / "t10k-images-idx3-ubyte.gz"
    whole.write_bytes(gzip.compress(gzip.decompress(whole.read_bytes()), compresslevel=0))
    assert judge.read_mnist(tmp_path).digest() == data.digest()
    whole.write_bytes(gzip.compress(gzip.decompress(whole.read_bytes())[:-1]))
    with pytest.raises(judge.JudgeError, match="header promises"):
        judge.read_mnist(tmp_path)


def test_a_judge_survives_its_cache(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = judge.Classifier().eval()
    images = np.random.default_rng(5).integers(0, 256, (300, 28, 28), dtype=np.uint8)
    seen = judge._read(network, images)
    path = tmp_path / "deep" / "judge.safetensors"
    judge._save(path, network, 0.9912, judge.Moments.of(seen.features), seen)
    loaded = judge._load(path)
    again = loaded.read(images)
    assert loaded.accuracy == 0.9912
    np.testing.assert_array_equal(again.features, seen.features)
    np.testing.assert_array_equal(loaded.held_out.digits, seen.digits)
    assert again.features.shape == (300, judge.FEATURES)
    assert sum(again.shares()) == pytest.approx(1.0)
    # Its own pictures are the reference here, so that the verdict on them is a distance of nothing.
    verdict = judge.judge(images, name="itself", referee=loaded)
    assert verdict["frechet"] == pytest.approx(0.0, abs=1e-6)
    assert (verdict["name"], verdict["n"], verdict["judge_accuracy"]) == ("itself", 300, 0.9912)
    assert json.loads(json.dumps(verdict)) == verdict
    assert [file.name for file in path.parent.iterdir()] == ["judge.safetensors"]


def test_skips_without_the_default_data_but_objects_to_a_folder_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "a.npy", np.zeros((300, 28, 28), dtype=np.uint8))
    monkeypatch.setattr(judge, "DEFAULT_MNIST", tmp_path)
    assert judge.main([str(tmp_path / "a.npy")]) == 0
    assert "no MNIST" in json.loads(capsys.readouterr().out)["skipped"]
    assert judge.main([str(tmp_path / "a.npy"), "--mnist", str(tmp_path)]) == 2
    assert capsys.readouterr().out == ""


def test_real_digits_are_judged_about_as_the_floor(referee: judge.Judge, digits: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = digits
    verdict = judge.judge(images, name="real", referee=referee)
    assert referee.accuracy >= 0.99
    assert verdict["frechet"] == pytest.approx(verdict["floor"], rel=0.5)
    true_shares = np.bincount(labels, minlength=10) / len(labels)
    np.testing.assert_allclose(verdict["digit_shares"], true_shares, atol=0.005)
    assert 0.07 < verdict["min_share"] < verdict["max_share"] < 0.13
    assert verdict["confidence"] > 0.98


def test_blurred_and_one_sided_digits_are_judged_far_worse(
    referee: judge.Judge, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    images, labels = digits
    pictures = torch.from_numpy(images).unsqueeze(1).float()
    blurred = torch.nn.functional.avg_pool2d(pictures, 5, stride=1, padding=2).squeeze(1).round().byte().numpy()
    verdict = judge.judge(blurred, name="blurred", referee=referee)
    assert verdict["frechet"] > 10 * verdict["floor"]
    fives = judge.judge(np.repeat(images[labels == 5], 3, axis=0), name="fives", referee=referee)
    assert fives["frechet"] > 10 * fives["floor"]
    assert fives["max_share"] > 0.95
    assert fives["min_share"] < 0.01
    with pytest.raises(judge.JudgeError, match="too few"):
        judge.judge(images[:100], referee=referee)
