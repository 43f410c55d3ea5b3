"""Print the N-th shell command of the README (1: install and run, 2: install and test): what is run is what is read."""

from __future__ import annotations

import re
import sys
from pathlib import Path


def readme_commands() -> list[str]:
    """The contents of the README's ```sh blocks, in order."""
    text = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")
    return [block.strip() for block in re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)]


if __name__ == "__main__":
    print(readme_commands()[int(sys.argv[1]) - 1])
