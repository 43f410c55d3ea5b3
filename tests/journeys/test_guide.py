"""The guide's pages are true: their programs and commands run in the order of the page, and say what the page says they say.

Two things are changed on the way, so that minutes become milliseconds: the lengths of trainings (`SHORTER`), and the data,
which are some pictures of noise under the names that the pages use.
"""

from __future__ import annotations

import re
import shlex
import shutil
import struct
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image
from recordings import spoken
from support import station_rows, tiny_lines

from ganwright.cli.app import build_app, run
from ganwright.core.errors import GanwrightError
from ganwright.losses.base import LOSSES
from ganwright.networks.keras.catalogue import LAYERS
from ganwright.optimizers.base import OPTIMIZERS
from ganwright.recipes.registry import RECIPES
from ganwright.regularizers.base import REGULARIZERS
from ganwright.training.health import ADVICE

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide"
PAGES = sorted(path.name for path in GUIDE.glob("*.md"))
MOST_PICTURE_BYTES = 150_000
SHORTER = (
    (r"\bsteps=\d+", "steps=3"),
    (r"\bminutes=\d+", "steps=3"),
    (r"--steps \d+", "--steps 3"),
    (r"--time \d+[smh]", "--steps 3"),
    (r"--epochs \d+", "--epochs 1"),
    (r"--e \d+ --s \d+", "--e 2 --s 1"),
)


class Block(NamedTuple):
    """What stands between two fences."""

    language: str
    text: str


def text_of(page: str) -> str:
    return (GUIDE / page).read_text(encoding="utf-8")


def blocks_of(page: str) -> list[Block]:
    found = re.findall(r"^( *)```(\w+)\n(.*?)^\1```$", text_of(page), flags=re.DOTALL | re.MULTILINE)
    return [Block(language, textwrap.dedent(text)) for _, language, text in found]


def shortened(text: str) -> str:
    for pattern, instead in SHORTER:
        text = re.sub(pattern, instead, text)
    return text


def alike(found: str, said: str) -> bool:
    """Whether a line is what the page says; " ..." at its end leaves the rest open."""
    return found.startswith(said.removesuffix(" ...")) if said.endswith(" ...") else found == said


def commands_of(block: Block) -> Iterator[tuple[list[str], list[str]]]:
    """The words of each `$` line, and the lines that the page shows below it."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, *said = part.rstrip().splitlines()
        words = shlex.split(shortened(command))
        assert words[0] == "ganwright", command
        yield words[1:], said


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a reader might be: three folders of pictures, MNIST's four files, forty digits in each, three tables,
    recordings, texts."""
    random = np.random.default_rng(0)
    (tmp_path / "people.csv").write_text(people(random), encoding="utf-8")
    (tmp_path / "known.csv").write_text("age,education\n31,Masters\n64,\n", encoding="utf-8")
    for name in ("cats", "photos"):
        (tmp_path / name).mkdir()
        for number in range(60):
            pixels = random.integers(0, 256, (12, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.jpg")
    pets = ["file,breed,age,indoor,collar"]
    for number in range(60):
        breed, yes_or_no = ("siamese", "persian")[number % 3 == 0], random.choice(["yes", "no"], 2)
        pets.append(f"{number}.jpg,{breed},{(number % 30 + 1) / 2},{','.join(yes_or_no)}")
    shutil.copytree(tmp_path / "cats", tmp_path / "pets")
    (tmp_path / "pets" / "labels.csv").write_text("\n".join(pets), encoding="utf-8")
    (tmp_path / "mnist").mkdir()
    for split in ("train", "t10k"):
        images, labels = random.integers(0, 256, (40, 28, 28), dtype=np.uint8), np.arange(40, dtype=np.uint8) % 10
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            (tmp_path / "mnist" / f"{split}-{kind}-ubyte").write_bytes(header + array.tobytes())
    spoken(tmp_path / "recordings")
    (tmp_path / "made.csv").write_text(people(random), encoding="utf-8")
    (tmp_path / "captions.txt").write_text("\n".join(tiny_lines(200)) + "\n", encoding="utf-8")
    (tmp_path / "novel.txt").write_text("It was a day.\nThey went.\n\nAnd then it was night.\n\n" * 80, encoding="utf-8")
    (tmp_path / "stations.csv").write_text("\n".join(station_rows(40)), encoding="utf-8")
    walk = 50 + np.cumsum(random.normal(size=200))
    (tmp_path / "prices.csv").write_text("\n".join(["price", *(f"{price:.2f}" for price in walk)]), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def people(random: np.random.Generator) -> str:
    """Four hundred of them, as a .csv file has them."""
    rows = ["person_id,age,education,sex,city,hired,score"]
    for i in range(400):
        words = [random.choice(words) for words in (["Masters", "Bachelors", "School"], ["f", "m"], ["Rome", "Lima", ""])]
        hired = f"2021-{random.integers(1, 13):02}-{random.integers(1, 29):02}"
        rows.append(f"{1000 + i},{random.integers(18, 80)},{','.join(words)},{hired},{random.normal():.2f}")
    return "\n".join([*rows, ""])


@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_what_it_says(
    page: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = blocks_of(page)
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)  # a dataclass looks for the module that it is from
    for block, after in zip(blocks, [*blocks[1:], Block("", "")], strict=False):
        if block.language == "toml":
            first, _, _ = block.text.partition("\n")
            (folder / first.removeprefix("# ")).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            error = after.text if after.language == "text" and after.text.startswith("error[") else ""
            run_program(shortened(block.text), error.splitlines(), vars(module))
        elif block.language == "console":
            for words, said in commands_of(block):
                run_command(words, said, capsys)


def run_program(program: str, error: list[str], names: dict[str, Any]) -> None:
    """A block, with what the earlier ones of its page have left; it ends in `error` where the page shows one."""
    code = compile(program, "a block of the page", "exec")
    if not error:
        exec(code, names)
        return
    with pytest.raises(GanwrightError) as raised:
        exec(code, names)
    found = str(raised.value).splitlines()
    assert len(found) == len(error), raised.value
    assert all(map(alike, found, error)), f"{raised.value}\n\nbut the page says\n\n" + "\n".join(error)


def run_command(words: list[str], said: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A command line; every line that the page shows below it is printed."""
    capsys.readouterr()
    code = run(words)
    captured = capsys.readouterr()
    printed = captured.out.splitlines() + captured.err.splitlines()
    fails = bool(said) and said[0].startswith("error[")
    assert (code == 2) if fails else (code == 0), f"{words} ended with {code}:\n" + "\n".join(printed)
    for line in said:
        assert any(alike(each, line) for each in printed), f"{line!r} is not in\n" + "\n".join(printed)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_within_a_sentence_is_understood(page: str) -> None:
    for command in re.findall(r"`(ganwright [^`]+)`", text_of(page)):
        words = shlex.split(command.split(" | ")[0])[1:]
        app = build_app()
        if len(words) == 1:
            assert words[0] in app, command  # the verb alone
        else:
            app.parse_args(words, exit_on_error=False, print_error=False)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    prose = re.sub(r"^( *)```.*?^\1```$", "", text_of(page), flags=re.DOTALL | re.MULTILINE)
    links = re.findall(r"\]\(([^)]+)\)", prose)
    assert links
    for link in links:
        target, _, heading = link.partition("#")
        path = (GUIDE / target).resolve() if target else GUIDE / page
        assert path.exists(), link
        assert not heading or heading in headings(path), link
        assert path.suffix != ".png" or path.stat().st_size < MOST_PICTURE_BYTES, link


def headings(path: Path) -> set[str]:
    """A page's headings as links name them."""
    titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_index_lists_every_page() -> None:
    assert {page for page in PAGES if page != "README.md"} <= set(re.findall(r"\]\(([^)]+)\)", text_of("README.md")))


def test_the_page_of_layers_lists_the_catalogue() -> None:
    _, _, chapter = text_of("layers.md").partition("\n## The layers\n")
    table, _, _ = chapter.partition("\nKeras's second names")
    rows = [line for line in table.splitlines() if line.startswith("|")]
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(listed) == sorted(LAYERS)


@pytest.mark.parametrize(
    ("row", "registry"), [("`loss` |", LOSSES), ("`regularizers`,", REGULARIZERS), ("`optimizer`,", OPTIMIZERS)]
)
def test_the_page_of_own_networks_lists_the_parts(row: str, registry: Any) -> None:
    (line,) = [line for line in text_of("own_networks.md").splitlines() if line.startswith(f"| {row}")]
    listed = re.findall(r"`(\w+)`", line.split("|")[2])
    assert sorted(listed) == sorted([*registry.names(), *registry.aliases])


def test_the_page_of_recipes_lists_them_all() -> None:
    rows = [line.split("|")[1] for line in text_of("recipes.md").splitlines() if line.startswith("| `")]
    assert set(RECIPES) <= {name for row in rows for name in re.findall(r"`([\w-]+)`", row)}


def test_the_page_of_how_a_gan_works_has_every_warning() -> None:
    for health, advice in ADVICE.items():
        assert f"warning  {health}: {advice}\n" in text_of("how_a_gan_works.md")


def test_the_pictures_can_be_made_anew(tmp_path: Path) -> None:
    command = [sys.executable, str(GUIDE / "make_pictures.py"), str(tmp_path), "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    made = {path.name for path in tmp_path.glob("*.png")}
    shown = {name for page in PAGES for name in re.findall(r"images/([\w.]+\.png)", text_of(page))}
    assert made == shown
