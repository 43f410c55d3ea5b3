"""Flags as other programs have them, and what does the same here: the nearest of our names may mean something else."""

from __future__ import annotations

_TIME, _RATE = "--time 20m", "--set generator_optimizer.learning_rate=2e-4, likewise for discriminator_optimizer"
_SIZE, _LATENT, _WIDTH = "--size 64", "--latent 128", "--set network.width=32"
_RUN, _SAVE, _GPU, _FROM = (
    "--run runs/NAME",
    "--save-every 5, in passes over the data",
    "--device cuda",
    "--from model.safetensors",
)
_MANY, _OUT = "-n 100", "-o out/"

TRAIN = {
    **dict.fromkeys(("minutes", "hours", "duration", "max-time"), _TIME),
    **dict.fromkeys(("iterations", "iters", "niter", "max-steps", "num-train-steps"), "--steps 5000"),
    **dict.fromkeys(("kimg", "total-kimg"), "--images 1000k"),
    **dict.fromkeys(("num-epochs", "n-epochs", "max-epochs", "e"), "--epochs 20"),
    **dict.fromkeys(("batch-size", "batchsize", "b"), "--batch 16"),
    **dict.fromkeys(("lr", "learning-rate", "lr-g", "lr-d", "glr", "dlr"), _RATE),
    **dict.fromkeys(("image-size", "img-size", "imsize", "resolution", "res", "i"), _SIZE),
    **dict.fromkeys(("noise-size", "noise-dim", "latent-dim", "latent-size", "z-dim", "nz", "n"), _LATENT),
    **dict.fromkeys(("width", "channels-base", "network-capacity", "ngf", "ndf", "ng", "nd"), _WIDTH),
    **dict.fromkeys(("save-interval", "sample-interval", "save-freq", "snap", "s"), _SAVE),
    **dict.fromkeys(("gpu", "gpus", "gpu-ids", "cuda"), f"{_GPU}, or --processes 4 for four of them"),
    **dict.fromkeys(("out", "outdir", "output", "output-dir", "results-dir", "name", "o", "f"), _RUN),
    **dict.fromkeys(("resume", "continue", "load-from"), "ganwright resume RUN, or --from model.safetensors for other data"),
    **dict.fromkeys(("checkpoint", "ckpt", "pretrained", "init-model"), "--from model.safetensors"),
    **dict.fromkeys(("workers", "num-workers"), "without it: every core is used anyway"),
    **dict.fromkeys(("data", "dataset", "dataroot", "data-dir", "d"), "ganwright train FOLDER, without a flag"),
    **dict.fromkeys(("amp", "fp16", "bf16", "mixed-precision"), "--precision bf16"),
    **dict.fromkeys(("flip", "hflip", "x-flip"), "--mirror"),
    **dict.fromkeys(("cond", "class-cond"), "--conditional"),
    "aug": "--augment adaptive",
    "diffaug": "--augment diffaugment",
    "ada": "--augment ada",
    "gamma": "--set regularizers.0.weight=1",
    "network": "--recipe, as  ganwright train --help  lists them",
}
SAMPLE = {
    **dict.fromkeys(("num", "n-samples", "num-samples", "samples", "number", "a"), _MANY),
    **dict.fromkeys(("output", "output-dir", "outdir", "f"), _OUT),
    **dict.fromkeys(("noise-size", "latent-dim", "image-size", "i"), "without it: the model knows its own"),
    **dict.fromkeys(("trunc", "psi", "truncation-psi", "temperature"), "--truncation 0.7"),
    **dict.fromkeys(("class", "cls"), "--label NAME"),
    **dict.fromkeys(("seeds",), "--seed 0 -n 10: ten samples of one seed are ten different ones"),
    **dict.fromkeys(("model", "network", "checkpoint", "ckpt", "p"), "ganwright sample MODEL, without a flag"),
    **dict.fromkeys(("gpu", "gpus", "cuda"), _GPU),
}
VERBS = {"train": TRAIN, "sample": SAMPLE}


def here(verb: str, flag: str) -> str:
    """What does here what `flag` ("--batch_size") does elsewhere; "" where nothing is known of it."""
    return VERBS.get(verb, {}).get(flag.split("=")[0].lstrip("-").replace("_", "-").lower(), "")
