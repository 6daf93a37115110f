import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from text.words import WORD_LIST  # noqa: E402


def pytest_collection_modifyitems(items):
    if WORD_LIST.exists():
        return
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=f"{WORD_LIST} is missing; install the Debian package wamerican"))


@pytest.fixture
def rng():
    return random.Random(7)


@pytest.fixture(scope="session")
def chats():
    """Conversations of every kind and split, as training and measuring see them."""
    import text
    rng = random.Random(11)
    out = [text.sample(rng, split) for split in ("train", "test", "unseen") for _ in range(300)]
    for words in map(text.pool, ("train", "test", "unseen")):
        out += [text.dressed(rng, words, make(rng, words)) for make, _, _ in text.KINDS.values() for _ in range(10)]
    return out
