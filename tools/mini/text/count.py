"""Letters in words: "In the word "strawberry", how many R's are there?"

The thought spells the word and numbers each hit, so the answer is the last number written.
"""
import random

from .chat import Exchange
from .noise import punctuated
from .words import Pool, is_rude

# {w} the word, quoted or not; {l} one letter; {ls} the letter in the plural.
ENGLISH = [
    "In the word {w}, how many {ls} are there?", "How many {ls} are in {w}?", "How many {ls} are there in {w}?",
    "How many {ls} does {w} have?", "How many {ls} are in the word {w}?", "How many {ls} does the word {w} contain?",
    "Count the {ls} in {w}.", "Count the {ls} in the word {w}.", "Count how many {ls} there are in {w}.",
    "How often does {l} occur in {w}?", "How often does the letter {l} appear in {w}?", "Count the letter {l} in {w}.",
    "How many times does {l} appear in {w}?", "How many times does the letter {l} occur in the word {w}?",
    "What is the number of {ls} in {w}?", "Tell me how many {ls} {w} has.", "Tell me the number of {ls} in {w}.",
    "In {w}, how many {ls} are there?", "In {w}, how often is the letter {l} used?", "Please count the {ls} in {w}.",
    "Can you count the {ls} in {w}?", "Could you tell me how many {ls} are in {w}?", "{w}: how many {ls}?",
    "Number of {ls} in {w}?", "How many of the letters in {w} are {ls}?", "Look at the word {w}. How many {ls} are there?",
    "The word {w} has how many {ls}?", "I want to know how many {ls} are in {w}.", "How many {ls} can you find in {w}?",
    "How many {ls} do you see in {w}?", "Give me the count of {ls} in {w}.", "For the word {w}, count the {ls}.",
    "Take the word {w}. How many times does it contain {l}?", "Does {w} contain {l}, and how many times?",
    "Find all {ls} in {w} and count them.", "If you spell {w}, how many {ls} do you write?",
    "Spell {w} and count the {ls}.", "How frequently does {l} come up in {w}?", "Do you know how many {ls} are in {w}?",
    "Check the word {w}: how many times is {l} in it?", "What is the count of the letter {l} in {w}?",
    "How many times is {l} used in the spelling of {w}?", "Please tell me how often you find {l} inside {w}.",
    "Let us count the {ls} in {w}.", "How many letters {l} are in {w}?", "My word is {w}. How many {ls} does it have?",
]
ENGLISH_UNSEEN = [
    "Tell me how often the character {l} occurs inside {w}, please.", "Count all occurrences of {l} in {w}.",
    "Within {w}, what is the total of {ls}?", "I wonder how many {ls} one needs to write {w}.",
    "How many {ls} are hidden in the word {w}?", "Would you count the {ls} for me in {w}?",
    "When writing {w}, how many times do I use the letter {l}?", "What number of {ls} does {w} include?",
    "Just count: how many {ls} in {w}?", "Say how many times {l} shows up in {w}.",
]
CHINESE = [
    "在单词{w}中，总共有几个{l}？", "单词{w}中有几个{l}？", "{w}中有几个{l}？", "{w}里有几个{l}？", "{w}里面有多少个{l}？",
    "{w}这个单词里有几个{l}？", "单词{w}里有多少个字母{l}？", "请数一数{w}中有几个{l}。", "数一下{w}里的{l}。",
    "请问单词{w}里有几个{l}？", "{w}有几个{l}？", "{w}一共有几个{l}？", "在{w}中，字母{l}出现了几次？",
    "字母{l}在{w}中出现了几次？", "字母{l}在单词{w}里出现多少次？", "{l}在{w}里出现了几次？", "{w}里{l}有几个？",
    "告诉我{w}中有几个{l}。", "你能数出{w}里有几个{l}吗？", "帮我数一下单词{w}里有多少个{l}。", "英文单词{w}中有几个{l}？",
    "{w}这个词里，{l}出现了多少次？", "{w}包含几个{l}？", "单词{w}包含多少个字母{l}？", "请计算{w}中字母{l}的个数。",
    "{w}中字母{l}的数量是多少？", "{w}里{l}的个数是几？", "看看{w}，里面有几个{l}？", "我想知道{w}中有几个{l}。",
    "在{w}里总共有多少个{l}？", "请你数数{w}有几个{l}。", "拼写{w}要用几个{l}？", "{w}的字母里有几个{l}？",
]
CHINESE_UNSEEN = [
    "{w}里面一共有几个{l}呢？", "数数看，单词{w}里的{l}有多少个？", "请统计单词{w}中{l}的数目。", "{l}这个字母在{w}里用了几次？",
    "写{w}的时候，要写几个{l}？", "单词是{w}，请问{l}有几个？", "能不能告诉我{w}含有多少个{l}？", "你知道{w}中有多少{l}吗？",
]


def count_exchange(rng: random.Random, pool: Pool, chinese: bool | None = None, thinking: bool = True) -> Exchange:
    chinese = rng.random() < 0.42 if chinese is None else chinese
    word = _word(rng, pool)
    present = rng.random() < 0.85
    letter = rng.choice(word) if present else rng.choice("abcdefghijklmnopqrstuvwxyz")
    word = _cased(rng, word)
    asked = pool.wording(rng, CHINESE, CHINESE_UNSEEN) if chinese else pool.wording(rng, ENGLISH, ENGLISH_UNSEEN)
    shown = letter.upper() if rng.random() < 0.6 else letter
    text = punctuated(rng, asked).format(w=_quoted(rng, word), l=_quoted_letter(rng, shown), ls=_plural(rng, shown))
    thought, hits = spell(word, letter)
    big = letter.upper()
    if chinese:
        answer = f'单词"{word}"中有{hits}个{big}。'
    else:
        answer = f'There is 1 {big} in "{word}".' if hits == 1 else f'There are {hits} {big}\'s in "{word}".'
    facts = {"word": word, "letter": letter, "chinese": chinese}
    return Exchange(text, answer, thought if thinking else "", facts)


def spell(word: str, letter: str) -> tuple[str, int]:
    """"see", "e" -> "s e(1) e(2) = 2", 2. Capitals stay as they are and count as the same letter."""
    hits, spelled = 0, []
    for c in word:
        same = c.lower() == letter.lower()
        hits += same
        spelled.append(f"{c}({hits})" if same else c)
    return " ".join(spelled) + f" = {hits}", hits


def _word(rng: random.Random, pool: Pool) -> str:
    chance = rng.random()
    if pool.training and chance < 0.33:       # few letters, many repeats: where copying is hardest
        while True:
            letters = rng.sample("abcdefghijklmnopqrstuvwxyz", rng.randint(2, 9))
            word = "".join(rng.choice(letters) for _ in range(rng.randint(2, 12 if rng.random() < 0.85 else 20)))
            if not is_rude(word):
                return word
    word = pool.word(rng)
    if pool.training and chance < 0.39:       # two words in one: the list has few words beyond 14 letters
        word = (word + pool.word(rng))[:22]
        return word if not is_rude(word) else pool.word(rng)
    return word


def _cased(rng: random.Random, word: str) -> str:
    chance = rng.random()
    return word.capitalize() if chance < 0.1 else word.upper() if chance < 0.17 else word


def _quoted(rng: random.Random, word: str) -> str:
    chance = rng.random()
    if chance < 0.55:
        return f'"{word}"'
    if chance < 0.65:
        return f"'{word}'"
    if chance < 0.75:
        return f"“{word}”"
    return word


def _quoted_letter(rng: random.Random, letter: str) -> str:
    chance = rng.random()
    return f'"{letter}"' if chance < 0.15 else f"'{letter}'" if chance < 0.22 else letter


def _plural(rng: random.Random, letter: str) -> str:
    """Rs, letters R, R's; never "is" or "as"."""
    chance = rng.random()
    return f"{letter}s" if chance < 0.15 and letter.isupper() else f"letters {letter}" if chance < 0.25 else f"{letter}'s"
