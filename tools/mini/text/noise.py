"""What people do to a sentence before they send it: case, punctuation, a greeting in front, a slip of the finger."""
import random

OPENERS = ["Hi, ", "Hey, ", "Hello! ", "So, ", "Tell me: ", "Please tell me: ", "OK, ", "Well, ", "Quick question: ",
           "One question: ", "Excuse me, ", "By the way, ", "Now, ", "Please: "]
CLOSERS = [" please", ", please", " then", " now", ", quern-mini", " Thanks!", " :)"]
OPENERS_ZH = ["请问", "你好，", "嗨，", "那么，", "告诉我，", "我想知道，", "想问一下，", "对了，", "好的，", "请告诉我，"]
CLOSERS_ZH = ["啊", "呢", "呀", "，谢谢", "，请回答"]


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= c <= "\u9fff" for c in text)


def framed(rng: random.Random, text: str) -> str:
    """Sometimes says something polite in front of a question or behind it."""
    chinese = is_chinese(text)
    if rng.random() < 0.25:
        opener = rng.choice(OPENERS_ZH if chinese else OPENERS)
        text = opener + (text if chinese or rng.random() < 0.4 else text[0].lower() + text[1:])
    if rng.random() < 0.12:
        end = text[-1] if text[-1] in "?.!？。！" else ""
        text = text.removesuffix(end) + rng.choice(CLOSERS_ZH if chinese else CLOSERS) + end
    return text


def punctuated(rng: random.Random, text: str) -> str:
    """Drops, doubles or swaps the mark at the end, or lowers the first letter. Leaves words as they are.

    Give it a wording before its braces are filled: a value in front must keep its case.
    """
    chance = rng.random()
    if chance < 0.18:
        text = text.rstrip("?.!？。！")
    elif chance < 0.24:
        text += text[-1] if text[-1] in "?.!？。！" else ""
    elif chance < 0.28:
        text = text.replace("？", "?").replace("，", ",").replace("。", ".")
    if rng.random() < 0.2:
        text = text[0].lower() + text[1:]
    return text


def slipped(rng: random.Random, text: str) -> str:
    """Changes words too, so it suits small talk and open questions but nothing that must be copied."""
    chance = rng.random()
    if chance < 0.12:
        text = text.lower()
    elif chance < 0.15:
        text = text.upper()
    elif chance < 0.23 and len(text) > 8 and text.isascii():
        at = rng.randrange(1, len(text) - 2)
        text = rng.choice((text[:at] + text[at + 1:], text[:at] + text[at + 1] + text[at] + text[at + 2:]))
    return text
