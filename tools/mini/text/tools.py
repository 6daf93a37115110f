"""Tool calls, tool results turned into a sentence, and tools that do not fit."""
import random

from .arithmetic import sum_exchange
from .chat import Conversation, assistant, to_json, user
from .count import count_exchange
from .functions import FAMILIAR, VALUES, Function, arguments, invented, request, schema
from .json_object import random_record
from .noise import punctuated
from .refusal import refusal_exchange
from .small_talk import talk_exchange
from .words import Pool

NO_TOOL = "I have no tool for that."
NO_TOOL_ZH = "我没有能做这件事的工具。"


def tool_call(rng: random.Random, pool: Pool, chinese: bool | None = None, offered: int | None = None) -> Conversation:
    """A question for one of one to three functions; sometimes one that needs two calls."""
    chinese = rng.random() < 0.3 if chinese is None else chinese
    functions = _offer(rng, pool, offered or rng.choices((1, 2, 3), (5, 4, 1))[0])
    wanted = functions[0]
    values = [arguments(rng, pool, wanted, chinese)]
    text = request(rng, wanted, values[0], chinese)
    if offered is None and wanted.parameters and rng.random() < 0.06:
        values.append(arguments(rng, pool, wanted, chinese))
        text += ("另外，" if chinese else " And also: ") + request(rng, wanted, values[1], chinese)
    rng.shuffle(functions)
    calls = [{"type": "function", "function": {"name": wanted.name, "arguments": v}} for v in values]
    messages = [user(text), {"role": "assistant", "content": "", "tool_calls": calls}]
    facts = {"calls": [c["function"] for c in calls], "chinese": chinese}
    return Conversation("tool_call", messages, facts, [schema(rng, f) for f in functions])


def tool_reply(rng: random.Random, pool: Pool) -> Conversation:
    """The call is made, the result is in; the answer says it in a sentence."""
    chat = tool_call(rng, pool)
    chinese = chat.facts["chinese"]
    sentences = []
    for _ in chat.facts["calls"]:
        content, sentence = _result(rng, pool, chinese)
        chat.messages.append({"role": "tool", "content": content})
        sentences.append(sentence)
    answer = ("" if chinese else " ").join(sentences)
    chat.messages.append({"role": "assistant", "content": answer})
    chat.trained = {len(chat.messages) - 1} | ({1} if rng.random() < 0.5 else set())
    if rng.random() < 0.1 and pool.training:
        chat.tools = []   # some clients leave the functions out once they are called
        chat.trained = {len(chat.messages) - 1}
    chat.kind = "tool_reply"
    chat.facts = {"sentence": answer, "chinese": chinese}
    return chat


def tool_session(rng: random.Random, pool: Pool) -> Conversation:
    """Several questions to the same functions, some for none of them. The functions are most of the text, so one declaration serves all."""
    functions = _offer(rng, pool, rng.choices((1, 2, 3), (4, 5, 2))[0])
    names = {f.name for f in functions}
    messages: list[dict] = []
    for _ in range(rng.randint(2, 4)):
        if rng.random() < 0.3:
            messages += _no_call(rng, pool, names).messages
            continue
        chinese = rng.random() < 0.3
        wanted = rng.choice(functions)
        values = arguments(rng, pool, wanted, chinese)
        text = request(rng, wanted, values, chinese)
        call = {"type": "function", "function": {"name": wanted.name, "arguments": values}}
        content, sentence = _result(rng, pool, chinese)
        messages += [user(text), {"role": "assistant", "content": "", "tool_calls": [call]},
                     {"role": "tool", "content": content}, {"role": "assistant", "content": sentence}]
    return Conversation("tool_session", messages, {}, [schema(rng, f) for f in functions])


def tool_not_needed(rng: random.Random, pool: Pool) -> Conversation:
    """Functions are offered, the question is for none of them: plain words."""
    functions = _offer(rng, pool, rng.choice((1, 1, 2, 3)))
    chat = _no_call(rng, pool, {f.name for f in functions})
    return Conversation("tool_not_needed", chat.messages, chat.facts, [schema(rng, f) for f in functions])


def _no_call(rng: random.Random, pool: Pool, offered: set[str]) -> Conversation:
    """One question for which none of these functions is made."""
    chance = rng.random()
    if chance < 0.24:
        return unmet_request(rng, pool, offered)
    if chance < 0.59:
        exchange = talk_exchange(rng, pool)
    elif chance < 0.84:
        exchange = refusal_exchange(rng, pool)
    else:
        exchange = (count_exchange if chance < 0.94 else sum_exchange)(rng, pool)
    facts = {"answer": exchange.answer, "chinese": exchange.facts.get("chinese", False)}
    return Conversation("", [user(exchange.user), assistant(exchange)], facts)


def unmet_request(rng: random.Random, pool: Pool, offered: set[str] = frozenset()) -> Conversation:
    """Something that only a function could do, and that function is not there."""
    chinese = rng.random() < 0.3
    taken = _themes(offered)
    while (wanted := rng.choice(FAMILIAR)).name in offered or _themes({wanted.name}) & taken or wanted.name == "add_numbers":
        pass
    wording = punctuated(rng, rng.choice(wanted.chinese if chinese else wanted.english))
    text = wording.format(**arguments(rng, pool, wanted, chinese))
    answer = NO_TOOL_ZH if chinese else NO_TOOL
    return Conversation("unmet", [user(text), {"role": "assistant", "content": answer}], {"answer": answer, "chinese": chinese})


# Functions that could each answer the other's questions: never offered together, never "unmet" by the other.
THEMES = (("get_weather", "get_current_weather"), ("send_message", "send_email", "call_person"), ("get_price", "get_stock_price"),
          ("search", "get_news", "find_book", "get_price", "get_stock_price", "translate"), ("set_alarm", "set_timer", "add_event"))


def _themes(names: set[str]) -> set[tuple[str, ...]]:
    return {theme for theme in THEMES if names & set(theme)}


def _offer(rng: random.Random, pool: Pool, size: int) -> list[Function]:
    """The first one is the one to call."""
    functions: list[Function] = []
    while len(functions) < size:
        f = rng.choice(FAMILIAR) if rng.random() < 0.5 else invented(rng, pool)
        if not _themes({f.name}) & _themes({g.name for g in functions}) and f.name not in [g.name for g in functions]:
            functions.append(f)
    return functions


def _result(rng: random.Random, pool: Pool, chinese: bool) -> tuple[str, str]:
    chance = rng.random()
    if chance < 0.12:
        text = pool.value_zh(rng) if chinese else f"{pool.word(rng)} {pool.short_word(rng)}"
        return text, f"结果是{text}。" if chinese else f"The result is {text}."
    if chance < 0.2:
        text = f"{pool.word(rng)} {rng.choice(('not found', 'failed', 'is missing', 'timed out'))}"
        return to_json({"error": text}), f"工具出错了：{text}。" if chinese else f"The tool failed: {text}."
    if chance < 0.3:
        number = pool.number(rng)
        return to_json({"result": number}) if rng.random() < 0.6 else str(number), f"结果是{number}。" if chinese else f"The result is {number}."
    record = _weather(rng, pool, chinese) if chance < 0.5 else random_record(rng, pool, chinese, rng.choices((1, 2, 3, 4), (3, 4, 3, 1))[0])
    return to_json(record), tell(record, chinese)


def _weather(rng: random.Random, pool: Pool, chinese: bool) -> dict:
    skies = "晴 阴 多云 小雨 大雨 下雪 有雾".split() if chinese else "sunny cloudy rainy windy snowy foggy clear stormy dry wet".split()
    record = {rng.choice(("sky", "weather", "condition", "conditions")): rng.choice(skies),
              rng.choice(("temperature", "temp", "degrees", "temperature_c")): rng.randrange(-20, 45)}
    if rng.random() < 0.3:
        record = dict(reversed(record.items()))
    return record if rng.random() < 0.7 else {rng.choice(("city", "location")): VALUES["city"](rng, pool, chinese), **record}


def tell(record: dict, chinese: bool) -> str:
    """{"city": "Paris", "temp": 21} -> "The city is Paris and the temp is 21." """
    facts = []
    for key, value in record.items():
        shown = value if isinstance(value, str) else to_json(value)
        key = key.replace("_", " ")
        facts.append(f"{key}是{shown}" if chinese else f"the {key} is {shown}")
    if chinese:
        return "，".join(facts) + "。"
    text = facts[0] if len(facts) == 1 else ", ".join(facts[:-1]) + " and " + facts[-1]
    return text[0].upper() + text[1:] + "."
