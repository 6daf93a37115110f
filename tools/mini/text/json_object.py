"""A JSON object with the keys and values that the question names: strings, many integers, yes and no, Chinese."""
import random

from .chat import Exchange, to_json
from .words import CITIES, CITIES_ZH, LONG_CITIES, Pool

KEYS = """name age city country color size price year title author animal food fruit drink language level score count weight height
width length speed number id code street month day hour owner driver teacher player team school job pet song film book game tool
shape material taste mood season sport instrument planet flower tree river island bridge train bus car boat room floor door
table phone email user_name first_name last_name start_year end_time total_price unit_price item_id""".split()
FLAGS = ["active", "open", "ready", "new", "valid", "visible", "done", "paid", "public", "enabled"]

ASK = ["Give me a JSON object with {p}.", "Write a JSON object with {p}.", "Return a JSON object with {p}.", "Make a JSON object with {p}.",
       "JSON with {p}, please.", "Please answer in JSON: {p}.", "Create JSON: {p}", "Return JSON: {p}", "Output a JSON object: {p}.",
       "I need a JSON object with {p}.", "Put this in JSON: {p}.", "Turn this into JSON: {p}", "Show me JSON with {p}.",
       "As JSON: {p}", "Give {p} as a JSON object.", "Write {p} as JSON.", "Reply with only a JSON object: {p}.", "{p}. Answer as JSON."]
ASK_UNSEEN = ["Could you build a JSON object from {p}?", "Express {p} in JSON form.", "Respond with JSON containing {p}."]
ASK_ZH = ["请给出一个JSON对象，{p}。", "写一个JSON对象，{p}。", "用JSON表示：{p}。", "请用JSON回答：{p}。", "返回JSON：{p}", "生成JSON，{p}。",
          "给我一个JSON，{p}。", "把下面的内容写成JSON：{p}。", "请输出JSON：{p}", "请把{p}写成JSON。"]
ASK_ZH_UNSEEN = ["能帮我做一个JSON对象吗？{p}。", "以JSON格式输出：{p}。"]


def json_exchange(rng: random.Random, pool: Pool) -> Exchange:
    chinese = rng.random() < 0.25
    record = random_record(rng, pool, chinese, rng.choices((1, 2, 3, 4), (2, 4, 4, 2))[0])
    if not chinese and rng.random() < 0.15:
        text = _story(rng, pool, record := _person(rng, pool))
    else:
        pairs = _pairs(rng, record, chinese)
        asked = pool.wording(rng, ASK_ZH, ASK_ZH_UNSEEN) if chinese else pool.wording(rng, ASK, ASK_UNSEEN)
        text = asked.format(p=pairs)
    return Exchange(text, to_json(record), "", {"record": record})


def random_record(rng: random.Random, pool: Pool, chinese: bool, size: int) -> dict:
    record = {}
    while len(record) < size:
        chance = rng.random()
        if chance < 0.08:
            record[rng.choice(FLAGS)] = rng.random() < 0.5
            continue
        key = rng.choice(KEYS) if rng.random() < 0.6 else pool.short_word(rng)
        record[key] = pool.number(rng) if rng.random() < 0.45 else random_text(rng, pool, chinese)
    return record


def random_text(rng: random.Random, pool: Pool, chinese: bool) -> str:
    """A value: a word, a name, a place of one or two words, or some Chinese characters."""
    chance = rng.random()
    if chinese and chance < 0.6:
        return rng.choice((pool.value_zh, pool.name_zh))(rng) if chance < 0.5 else rng.choice(CITIES_ZH)
    if chance < 0.35:
        return pool.name(rng)
    if chance < 0.45:
        return rng.choice(CITIES if chance < 0.41 else LONG_CITIES)
    if chance < 0.6:
        return f"{pool.short_word(rng)} {pool.short_word(rng)}"
    if chance < 0.65:
        return random_letters(rng)
    return pool.short_word(rng, 14)


def random_letters(rng: random.Random) -> str:
    """Starts with a letter, so that it cannot be taken for a number."""
    first = rng.choice("abcdefghijklmnopqrstuvwxyz")
    return first + "".join(rng.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(rng.randint(2, 7)))


def _pairs(rng: random.Random, record: dict, chinese: bool) -> str:
    if rng.random() < 0.12:   # keys first, values after
        keys, values = list(record), [_shown(rng, v, quote=0.3) for v in record.values()]
        if chinese:
            return f"键为{'、'.join(keys)}，值为{'、'.join(values)}"
        return f"the keys {_listed(keys)} and the values {_listed(values)}"
    forms = ["{k}为{v}", "{k}是{v}", "{k}：{v}", "{k}={v}"] if chinese else [
        "{k} {v}", "{k} = {v}", "{k}: {v}", "{k}={v}", "{k} set to {v}", "{k} as {v}", "the {k} {v}", "{k} equal to {v}", "{k} is {v}"]
    form, quote = rng.choice(forms), rng.choice((0, 0.5, 1))
    shown = [form.format(k=k, v=_shown(rng, v, quote)) for k, v in record.items()]
    if chinese:
        return "，".join(shown)
    return _listed(shown) if rng.random() < 0.6 else ", ".join(shown)


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def _shown(rng: random.Random, value, quote: float) -> str:
    if isinstance(value, str):
        return f'"{value}"' if rng.random() < quote else value
    return to_json(value)


def _person(rng: random.Random, pool: Pool) -> dict:
    return {"name": pool.name(rng), "age": rng.randrange(1, 100), "city": rng.choice(CITIES + LONG_CITIES)}


def _story(rng: random.Random, pool: Pool, record: dict) -> str:
    told = rng.choice(["{name} is {age} years old and lives in {city}.", "My friend {name} lives in {city} and is {age}.",
                       "{name}, {age}, comes from {city}."])
    asked = rng.choice(["Give name, age and city as JSON.", "Answer with a JSON object with name, age and city.",
                        "Extract name, age and city as JSON.", "Write this as JSON with the keys name, age and city."])
    return f"{told.format(**record)} {asked}"
