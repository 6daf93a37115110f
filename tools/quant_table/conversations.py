"""Prints conversations as quern-mini knows them, over words and names that its training never saw: conversations.py CONVERSATIONS SEED"""

import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "mini"))
import text  # noqa: E402
from text.chat import pieces  # noqa: E402

count, seed = map(int, sys.argv[1:])
rng = random.Random(seed)
print("\n".join("".join(piece for piece, _ in pieces(text.sample(rng, "test"))) for _ in range(count)))
