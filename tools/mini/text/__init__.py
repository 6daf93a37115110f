"""The text that quern-mini learns from, made from a seed.

`KINDS` is the recipe: a row a kind, with its weight at the start and in the second part of the training.
Short documents that teach one skill come early; prompts with functions are long and come in force later.
"""
import random

from .arithmetic import sum_exchange
from .chat import NO_THOUGHT, OPEN_THOUGHT, Conversation, Exchange, from_exchanges
from .count import count_exchange
from .json_object import json_exchange
from .recall import ask_exchange, tell_exchange
from .refusal import refusal_exchange
from .small_talk import talk_exchange
from .system import system_message
from .tools import tool_call, tool_not_needed, tool_reply, tool_session, unmet_request
from .words import Pool, pool


def count(rng: random.Random, pool: Pool) -> Conversation:
    return _chat("count", rng, [count_exchange(rng, pool) for _ in range(rng.choice((1, 1, 2)))])


def arithmetic(rng: random.Random, pool: Pool) -> Conversation:
    return _chat("arithmetic", rng, [sum_exchange(rng, pool) for _ in range(rng.randint(1, 4))])


def json_object(rng: random.Random, pool: Pool) -> Conversation:
    return _chat("json", rng, [json_exchange(rng, pool) for _ in range(rng.choice((1, 1, 1, 2)))])


def recall(rng: random.Random, pool: Pool) -> Conversation:
    """A name, zero to three other turns, the question; sometimes a second question, sometimes no name at all."""
    chinese = rng.random() < 0.45
    told = rng.random() < 0.93
    exchanges: list[Exchange] = [_filler(rng, pool)] if rng.random() < 0.12 else []
    name = None
    if told:
        tell = tell_exchange(rng, pool, chinese)
        exchanges.append(tell)
        name = tell.facts["name"]
    exchanges += [_filler(rng, pool) for _ in range(rng.choices((0, 1, 2, 3), (5, 3, 2, 1))[0])]
    exchanges.append(ask_exchange(rng, pool, chinese if rng.random() < 0.9 else not chinese, name))
    return _chat("recall", rng, exchanges)


def talk(rng: random.Random, pool: Pool) -> Conversation:
    return _chat("talk", rng, [talk_exchange(rng, pool) for _ in range(rng.choice((1, 1, 2, 3)))])


def refusal(rng: random.Random, pool: Pool) -> Conversation:
    return _chat("refusal", rng, [refusal_exchange(rng, pool) for _ in range(rng.choice((1, 1, 2)))])


def mixed(rng: random.Random, pool: Pool) -> Conversation:
    """Several skills in one conversation."""
    return _chat("mixed", rng, [_any(rng, pool) for _ in range(rng.randint(2, 5))])


def long_chat(rng: random.Random, pool: Pool, turns: tuple[int, int] = (6, 14)) -> Conversation:
    """Many turns, so that the model meets far positions; a name told early may be asked for at the end."""
    chinese = rng.random() < 0.4
    tell = tell_exchange(rng, pool, chinese)
    exchanges = [tell] + [_any(rng, pool) for _ in range(rng.randint(*turns))]
    if rng.random() < 0.7:
        exchanges.append(ask_exchange(rng, pool, chinese, tell.facts["name"]))
    return _chat("long", rng, exchanges)


KINDS = {  # kind: (maker, weight early, weight later)
    "count": (count, 30, 20),
    "arithmetic": (arithmetic, 22, 15),
    "json": (json_object, 13, 14),
    "recall": (recall, 8, 6),
    "talk": (talk, 6, 8),
    "refusal": (refusal, 5, 6),
    "mixed": (mixed, 3, 5),
    "long": (long_chat, 0, 1.5),
    "unmet": (unmet_request, 1, 1.5),
    "tool_call": (tool_call, 8, 5),
    "tool_not_needed": (tool_not_needed, 2, 1.5),
    "tool_reply": (tool_reply, 2, 2),
    "tool_session": (tool_session, 0, 6.5),
}


def sample(rng: random.Random, split: str = "train", progress: float = 1.0, weights: dict[str, float] | None = None) -> Conversation:
    """One conversation; `progress` in [0, 1] is how much of the training is done."""
    if weights is None:
        weights = {kind: early if progress < 0.2 else late for kind, (_, early, late) in KINDS.items()}
    kind = rng.choices(list(weights), list(weights.values()))[0]
    words = pool(split)
    return dressed(rng, words, KINDS[kind][0](rng, words))


def dressed(rng: random.Random, pool: Pool, chat: Conversation) -> Conversation:
    """Adds what a client may add to any conversation: a system message, or the wish for an answer without thinking."""
    if rng.random() < (0.5 if chat.tools else 0.35):
        chat.messages.insert(0, {"role": "system", "content": system_message(rng, pool)})
        if chat.trained is not None:
            chat.trained = {i + 1 for i in chat.trained}
    chance = rng.random()
    if chance < 0.05:
        without_thinking(chat)
    elif chance < 0.08:
        chat.opened = OPEN_THOUGHT
        chat.trained = {len(chat.messages) - 1}
    return chat


def without_thinking(chat: Conversation) -> Conversation:
    for message in chat.messages:
        message.pop("reasoning_content", None)
    chat.opened = NO_THOUGHT
    chat.trained = {len(chat.messages) - 1}
    return chat


def _chat(kind: str, rng: random.Random, exchanges: list[Exchange]) -> Conversation:
    return from_exchanges(kind, exchanges, keep_thoughts=rng.random() < 0.7)


def _filler(rng: random.Random, pool: Pool) -> Exchange:
    """A turn between a name and the question for it."""
    return rng.choices((talk_exchange, refusal_exchange, count_exchange, sum_exchange), (6, 2, 1, 1))[0](rng, pool)


def _any(rng: random.Random, pool: Pool) -> Exchange:
    return rng.choice((talk_exchange, refusal_exchange, count_exchange, sum_exchange, json_exchange))(rng, pool)
