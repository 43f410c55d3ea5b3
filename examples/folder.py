"""A folder in, pictures out, with everything that a run leaves behind.

python examples/folder.py photos/              # ten minutes
python examples/folder.py photos/ 20           # twenty steps, to see that it runs
"""

import sys

from ganwright import GAN
from ganwright.training.events import Progress


def show(event: object) -> None:
    """Every event of the run comes by here; this picks one kind."""
    if isinstance(event, Progress):
        print(f"step {event.step}, {event.seconds_left:.0f} s left, {event.health}")


length = {"steps": int(sys.argv[2])} if len(sys.argv) > 2 else {"minutes": 10}
gan = GAN(seed=0).fit(sys.argv[1], run="run", subscribers=[show], **length)
print("\n".join(gan.data_report_.lines()))
gan.grid(4, 8, seed=7).save("grid.png")
print(f"{gan.model_} → grid.png, everything else in {gan.run_}")
