"""The functions that tool prompts offer: a table of familiar ones with natural wordings, and endless invented ones.

A wording names every argument in braces. A value kind is a row in VALUES below.
"""
import random
from dataclasses import dataclass

from .json_object import random_letters, random_text
from .noise import punctuated
from .words import CITIES, CITIES_ZH, LONG_CITIES, Pool

LANGUAGES = "English French German Spanish Italian Chinese Japanese Korean Russian Arabic Dutch Polish Greek Turkish Swedish".split()
LANGUAGES_ZH = "英语 法语 德语 西班牙语 意大利语 中文 日语 韩语 俄语 阿拉伯语".split()
CURRENCIES = "USD EUR GBP JPY CNY CHF SEK INR AUD CAD".split()


def _city(rng: random.Random, pool: Pool, chinese: bool) -> str:
    """Also names that are no cities: the value must be copied, whatever it is."""
    chance = rng.random()
    if chinese:
        return rng.choice(CITIES_ZH) if chance < 0.5 else pool.value_zh(rng) if chance < 0.9 else rng.choice(CITIES)
    if chance < 0.6:
        return rng.choice(CITIES if chance < 0.4 else LONG_CITIES)
    return pool.name(rng) if chance < 0.9 else f"{pool.name(rng)} {pool.name(rng)}"


def _phrase(rng: random.Random, pool: Pool, chinese: bool) -> str:
    if chinese:
        return pool.value_zh(rng) + (pool.value_zh(rng) if rng.random() < 0.5 else "")
    return " ".join(pool.short_word(rng) for _ in range(rng.choice((1, 2, 2, 3))))


def _person(rng: random.Random, pool: Pool, chinese: bool) -> str:
    return pool.name_zh(rng) if chinese and rng.random() < 0.8 else pool.name(rng)


VALUES = {
    "city": _city,
    "phrase": _phrase,
    "person": _person,
    "text": random_text,
    "language": lambda rng, pool, chinese: rng.choice(LANGUAGES_ZH if chinese else LANGUAGES),
    "currency": lambda rng, pool, chinese: rng.choice(CURRENCIES),
    "time": lambda rng, pool, chinese: f"{rng.randrange(24)}:{rng.randrange(60):02}",
    "code": lambda rng, pool, chinese: random_letters(rng),
    "number": lambda rng, pool, chinese: pool.number(rng),
}


@dataclass(frozen=True)
class Function:
    name: str
    description: str
    parameters: tuple[tuple[str, str, str], ...]  # name, value kind, description
    english: tuple[str, ...]
    chinese: tuple[str, ...]


def _f(name, description, parameters, english, chinese) -> Function:
    rows = tuple(tuple(p.split("|")) for p in parameters.split("; ")) if parameters else ()
    return Function(name, description, rows, tuple(english.split("; ")), tuple(chinese.split("；")))


FAMILIAR = (
    _f("get_weather", "Get the weather in a city", "city|city|The city",
       "What is the weather in {city}?; How is the weather in {city}?; Tell me the weather in {city} please.; Is it raining in {city}?; "
       "Weather in {city}; What's the weather like in {city} today?; Do I need an umbrella in {city}?; Will it rain in {city} today?; "
       "How warm is it in {city}?; What is the weather like in {city}?",
       "{city}的天气怎么样？；{city}今天天气如何？；{city}下雨吗？；查一下{city}的天气。；请告诉我{city}的天气。；今天{city}热不热？"),
    _f("get_current_weather", "Get the current weather in a given location", "location|city|The city, e.g. Paris",
       "What is the weather in {location}?; What's the current weather in {location}?; How is the weather in {location} right now?; "
       "Tell me the current weather in {location}.; Is it cold in {location} now?",
       "{location}现在天气怎么样？；{location}的天气如何？；查一下{location}现在的天气。"),
    _f("get_time", "Get the time in a city", "city|city|The city",
       "What time is it in {city}?; Tell me the time in {city}.; What is the local time in {city}?; How late is it in {city}?; Time in {city}?",
       "{city}现在几点？；请问{city}现在是什么时间？；告诉我{city}的时间。；{city}几点了？"),
    _f("search", "Search the web", "query|phrase|What to look for",
       "Search for {query}.; Look up {query}.; Search the web for {query}.; Please search {query}; Find pages about {query}.; Can you look up {query}?",
       "搜索{query}。；请搜索{query}。；帮我搜一下{query}。；查找{query}。；上网查一下{query}。"),
    _f("set_alarm", "Set an alarm", "time|time|The time of the alarm",
       "Set an alarm for {time}.; Wake me at {time}.; Please set an alarm at {time}.; I need an alarm at {time}.; Wake me up at {time}, please.",
       "设一个{time}的闹钟。；请在{time}叫醒我。；{time}叫我起床。；定一个{time}的闹钟。"),
    _f("play_song", "Play a song", "title|phrase|The title of the song",
       "Play {title}.; Play the song {title}.; Please play {title}.; I want to hear {title}.; Put on {title}.",
       "播放{title}。；请放一首{title}。；我想听{title}。；来一首{title}。"),
    _f("add_numbers", "Add two numbers", "a|number|The first number; b|number|The second number",
       "Add {a} and {b} with the tool.; Use the tool to add {a} and {b}.; With your tool, add {a} and {b}.",
       "用工具计算{a}加{b}。；请用工具把{a}和{b}加起来。"),
    _f("get_price", "Get the price of a product", "product|phrase|The product",
       "What is the price of {product}?; How much does {product} cost?; Tell me the price of {product}.; What does {product} cost?",
       "{product}多少钱？；{product}的价格是多少？；查一下{product}的价格。"),
    _f("get_stock_price", "Get the price of a stock", "symbol|code|The symbol of the stock",
       "What is the stock price of {symbol}?; Stock price of {symbol}?; How is the stock {symbol} doing?; Look up the stock {symbol}.",
       "{symbol}的股价是多少？；查一下股票{symbol}。"),
    _f("translate", "Translate a text", "text|phrase|The text; language|language|The target language",
       "Translate {text} into {language}.; How do you say {text} in {language}?; What is {text} in {language}?; Please translate {text} to {language}.",
       "把{text}翻译成{language}。；{text}用{language}怎么说？；请将{text}译成{language}。"),
    _f("send_message", "Send a message to a person", "to|person|Who gets it; text|phrase|The message",
       "Send {to} the message {text}.; Write to {to}: {text}; Tell {to} {text}.; Message {to}: {text}; Send a message to {to}: {text}",
       "给{to}发消息：{text}；告诉{to}：{text}；给{to}发一条消息，内容是{text}。"),
    _f("send_email", "Send an email", "to|person|The receiver; subject|phrase|The subject",
       "Send an email to {to} with the subject {subject}.; Email {to} about {subject}.; Write an email to {to}, subject {subject}.",
       "给{to}发邮件，主题是{subject}。；发邮件给{to}，主题为{subject}。"),
    _f("book_flight", "Book a flight", "origin|city|Where it starts; destination|city|Where it ends",
       "Book a flight from {origin} to {destination}.; I want to fly from {origin} to {destination}.; Get me a flight from {origin} to {destination}.; "
       "Please book me a flight to {destination} from {origin}.",
       "订一张从{origin}到{destination}的机票。；我想从{origin}飞到{destination}。；请预订{origin}到{destination}的航班。"),
    _f("get_distance", "Get the distance between two places", "start|city|The first place; end|city|The second place",
       "How far is it from {start} to {end}?; What is the distance between {start} and {end}?; How far is {end} from {start}?",
       "从{start}到{end}有多远？；{start}和{end}之间的距离是多少？；{start}离{end}多远？"),
    _f("book_table", "Book a table in a restaurant", "restaurant|city|The restaurant; people|number|How many people",
       "Book a table at {restaurant} for {people} people.; Reserve a table for {people} at {restaurant}.; I need a table for {people} people at {restaurant}.",
       "在{restaurant}订一张{people}人的桌子。；请预订{restaurant}，{people}个人。"),
    _f("convert_currency", "Convert money", "amount|number|How much; from|currency|From this currency; to|currency|To this currency",
       "Convert {amount} {from} to {to}.; How much is {amount} {from} in {to}?; What are {amount} {from} in {to}?",
       "把{amount}{from}换成{to}。；{amount}{from}等于多少{to}？"),
    _f("set_timer", "Set a timer", "minutes|number|How many minutes",
       "Set a timer for {minutes} minutes.; Start a timer of {minutes} minutes.; Timer, {minutes} minutes.; Remind me in {minutes} minutes.",
       "设一个{minutes}分钟的计时器。；计时{minutes}分钟。；{minutes}分钟后提醒我。"),
    _f("add_event", "Add an event to the calendar", "title|phrase|The title; time|time|When it starts",
       "Add {title} to my calendar at {time}.; Put {title} in the calendar at {time}.; Schedule {title} for {time}.",
       "在日历里添加{title}，时间是{time}。；{time}安排{title}。"),
    _f("call_person", "Call a person on the phone", "name|person|The person",
       "Call {name}.; Please phone {name}.; Can you ring {name}?; Give {name} a call.; I want to talk to {name} on the phone.",
       "给{name}打电话。；打电话给{name}。；请拨打{name}的电话。"),
    _f("get_news", "Get the news about a topic", "topic|phrase|The topic",
       "What is the news about {topic}?; News about {topic}, please.; Show me the news on {topic}.; Any news about {topic}?",
       "有什么关于{topic}的新闻？；查一下{topic}的新闻。；给我看{topic}的新闻。"),
    _f("turn_on", "Turn on a device", "device|phrase|The device",
       "Turn on the {device}.; Switch on the {device}.; Please turn the {device} on.; Switch the {device} on.",
       "打开{device}。；请把{device}打开。；开一下{device}。"),
    _f("find_book", "Find a book", "title|phrase|The title of the book",
       "Find the book {title}.; Do you have the book {title}?; Look for a book called {title}.; Where is the book {title}?",
       "查找书《{title}》。；有没有《{title}》这本书？；帮我找一本叫{title}的书。"),
    _f("get_date", "Get the date of today", "", "What is the date today?; Which day is it today?; What day is today?; Tell me today's date.",
       "今天几号？；今天是哪一天？；今天星期几？；请告诉我今天的日期。"),
    _f("roll_dice", "Roll dice", "sides|number|How many sides",
       "Roll a die with {sides} sides.; Throw a die with {sides} sides.; Roll a {sides} sided die.",
       "掷一个{sides}面的骰子。；扔一个{sides}面骰子。"),
)

VERBS = "get find make set read open send list check show load save start stop count sort plan draw move buy sell rent pack clean fetch update delete create".split()

# {f} is the function, {p} all its arguments.
CALL = ["Call {f} with {p}.", "Use {f} with {p}.", "Run {f} with {p}.", "Please call {f} with {p}.", "Use the function {f}: {p}", "Call {f}: {p}",
        "Please use the tool {f} with {p}.", "Can you call {f} with {p}?", "{f} with {p}", "Invoke {f} with {p}.", "I want you to run {f} with {p}.",
        "Call the function {f} with {p}."]
CALL_ZH = ["调用{f}，{p}。", "请用{f}，{p}。", "使用函数{f}，{p}。", "请调用{f}，{p}。", "运行{f}，{p}。", "用工具{f}，{p}。"]
PLAIN = ["{v} the {n} with {p}.", "Please {v} the {n} with {p}.", "I want to {v} a {n} with {p}.", "Can you {v} the {n} with {p}?", "{v} a {n}: {p}"]


def invented(rng: random.Random, pool: Pool) -> Function:
    """A function nobody has seen: verb_word with zero to three arguments."""
    while True:
        verb, noun = rng.choice(VERBS), pool.short_word(rng)
        name = rng.choice((f"{verb}_{noun}", f"{verb}_{noun}", f"{noun}_{verb}", noun, f"{verb}{noun.capitalize()}"))
        if pool.mine(name):
            break
    names: list[str] = []
    for _ in range(rng.choices((0, 1, 2, 3), (1, 8, 8, 3))[0]):
        while (parameter := pool.short_word(rng)) in names:
            pass
        names.append(parameter)
    rows = tuple((n, rng.choices(("text", "number", "city", "time"), (6, 3, 1, 1))[0], f"The {n}") for n in names)
    return Function(name, f"{verb.capitalize()} the {noun}", rows, (), ())


def schema(rng: random.Random, function: Function) -> dict:
    """The function as an API client declares it; clients differ in what they describe."""
    describe, first = rng.random() < 0.45, rng.random() < 0.85
    properties = {}
    for name, kind, description in function.parameters:
        what = {"type": "integer" if kind == "number" else "string"}
        if describe:
            what = {**what, "description": description} if first else {"description": description, **what}
        properties[name] = what
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    if not properties and rng.random() < 0.5:
        parameters.pop("required")
    return {"type": "function", "function": {"name": function.name, "description": function.description, "parameters": parameters}}


def arguments(rng: random.Random, pool: Pool, function: Function, chinese: bool) -> dict:
    return {name: VALUES[kind](rng, pool, chinese) for name, kind, _ in function.parameters}


def request(rng: random.Random, function: Function, values: dict, chinese: bool) -> str:
    """What a user says who wants this call."""
    if function.english and rng.random() < 0.93:
        quote = '"{}"' if rng.random() < 0.2 else "{}"
        shown = {k: quote.format(v) if isinstance(v, str) else str(v) for k, v in values.items()}
        wording = rng.choice(function.chinese if chinese else function.english)
        return (punctuated(rng, wording) if rng.random() < 0.4 else wording).format(**shown)
    return _generic(rng, function, values, chinese)


def _generic(rng: random.Random, function: Function, values: dict, chinese: bool) -> str:
    quote = rng.random() < 0.5
    form = rng.choice(("{k}为{v}", "{k}是{v}", "{k}={v}") if chinese else ("{k} {v}", "{k} = {v}", "{k}: {v}", "{k}={v}", "{k} set to {v}"))
    shown = [form.format(k=k, v=f'"{v}"' if quote and isinstance(v, str) else v) for k, v in values.items()]
    if not shown:
        return rng.choice(("调用{f}。", "请运行{f}。") if chinese else ("Call {f}.", "Please run {f}.", "Use {f}.")).format(f=function.name)
    if chinese:
        return rng.choice(CALL_ZH).format(f=function.name, p="，".join(shown))
    listed = " and ".join(shown) if rng.random() < 0.6 else ", ".join(shown)
    verb, _, noun = function.description.lower().partition(" the ")
    if noun and not function.english and rng.random() < 0.4:
        text = rng.choice(PLAIN).format(v=verb, n=noun, p=listed)
        return text[0].upper() + text[1:]
    return rng.choice(CALL).format(f=function.name, p=listed)
