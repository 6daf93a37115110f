import re
import zlib

import text
from text.arithmetic import steps
from text.chat import document
from text.count import spell
from text.small_talk import INTENTS, UNSEEN_PER_INTENT
from text.words import is_rude, pool


def test_the_same_seed_gives_the_same_text():
    import random
    made = [[document(text.sample(random.Random(3), split)) for _ in range(20)] for split in ("train", "train")]
    assert made[0] == made[1]


def test_no_word_is_on_both_sides_of_the_split():
    train, test = pool("train"), pool("test")
    assert not set(train.words) & set(test.words)
    assert not set(train.names) & set(test.names)
    assert not set(train.first_names) & set(test.first_names)


def test_no_problem_of_arithmetic_is_on_both_sides(rng):
    for split, held in (("train", False), ("test", True), ("unseen", True)):
        for _ in range(300):
            facts = text.sum_exchange(rng, pool(split)).facts
            assert (zlib.crc32(f"{facts['a']}{facts['op']}{facts['b']}".encode()) % 10 == 0) == held


def test_no_unseen_wording_is_trained(rng):
    from text import arithmetic, count, json_object, recall, refusal
    for module in (arithmetic, count, json_object, recall, refusal):
        for name in dir(module):
            if name.endswith("_UNSEEN"):
                assert not set(getattr(module, name)) & set(getattr(module, name.removesuffix("_UNSEEN")))
    for intent in INTENTS:
        for _, wordings in (intent.english, intent.chinese):
            assert len(set(wordings)) == len(wordings) > UNSEEN_PER_INTENT, intent.name


def test_no_wording_belongs_to_two_intents():
    wordings = [w for intent in INTENTS for _, ws in (intent.english, intent.chinese) for w in ws]
    assert len(wordings) == len(set(wordings))


def test_no_rude_word_is_in_the_text(chats):
    for chat in chats:
        for word in set(re.findall("[A-Za-z]{3,}", document(chat))):
            assert not is_rude(word), (word, chat.kind)


def test_steps_of_a_sum_and_of_differences():
    assert steps(47, "+", 38) == ["7+8=15, carry 1", "4+3+1=8"]
    assert steps(52, "-", 38) == ["12-8=4, borrow 1", "5-3-1=1"]
    assert steps(23, "-", 58) == ["23<58, 58-23", "8-3=5", "5-2=3"]
    assert steps(100, "-", 1) == ["10-1=9, borrow 1", "10-0-1=9, borrow 1", "1-0-1=0"]


def test_the_digits_of_the_steps_are_the_result(rng):
    for _ in range(2000):
        a, b, op = rng.randrange(1000), rng.randrange(1000), rng.choice("+-")
        lines = [line for line in steps(a, op, b) if "<" not in line]
        digits = [int(re.search(r"=(\d+)", line)[1]) for line in lines]
        value = sum(d % 10 * 10**i for i, d in enumerate(digits)) + (10 ** len(digits) if "carry" in lines[-1] else 0)
        assert value == abs(a + b if op == "+" else a - b)


def test_spelling_numbers_each_hit_whatever_its_case():
    assert spell("strawberry", "R") == ("s t r(1) a w b e r(2) r(3) y = 3", 3)
    assert spell("Anna", "a") == ("A(1) n n a(2) = 2", 2)
    assert spell("see", "x") == ("s e e = 0", 0)
