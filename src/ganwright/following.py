"""A process that only follows another: `python -m ganwright.following DEVICE`, as `GAN.fit(processes=...)` starts it.

What goes wrong here is told to the one that is followed, which tells it in its own words.
"""

from __future__ import annotations

import os
import sys

from ganwright.runtime.allocator import keep_freed_memory
from ganwright.together import follow, joined


def main() -> int:
    """Follow to the end."""
    us = joined()
    if us is None:
        print("nobody is there to be followed: this is started by GAN.fit(processes=...)", file=sys.stderr)
        return 2
    keep_freed_memory()
    follow(us, None, (None, None), sys.argv[1], handle_signals=False)
    return 0


if __name__ == "__main__":
    try:
        code = main()
    except Exception:
        code = 1
    sys.stdout.flush()
    os._exit(code)  # what is left of an exchange is not waited for
