"""Many requests of many kinds, made from a seed; what of an answer must not depend on anything else; and asking them all at once."""

import concurrent.futures
import json
import random
import re
import time

MODEL = "quern-mini"
CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
WORDS = ["strawberry", "banana", "coffee", "pepper", "summer", "rabbit", "mirror", "carrot", "letter", "bottle", "window", "garden"]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}}, "required": ["city"]},
    },
}
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 12},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 3},
    },
    "required": ["name", "age", "tags"],
    "additionalProperties": False,
}


def user(text):
    return [{"role": "user", "content": text}]


def counting(random):
    return {"messages": user(f'In the word "{random.choice(WORDS)}", how many {random.choice("AERT")}\'s are there?'), "temperature": 0}


def hot(random):
    return {
        "messages": user(f"Tell me about {random.choice(WORDS)}."),
        "temperature": 1.5,
        "top_p": 0.95,
        "top_k": 50,
        "seed": random.randrange(1 << 30),
        "presence_penalty": 0.5,
        "ignore_eos": True,
    }


def schema(random):
    return {
        "messages": user(f"Describe {random.choice(WORDS)} as JSON."),
        "temperature": 1,
        "seed": random.randrange(1 << 30),
        "response_format": {"type": "json_schema", "json_schema": {"name": "thing", "schema": SCHEMA}},
    }


def call(random):
    return {
        "messages": user(f"What is the weather in {random.choice(['Paris', 'London', 'Rome'])}?"),
        "temperature": 0,
        "tools": [WEATHER],
        "tool_choice": random.choice(["auto", "required"]),
    }


def several(random):
    return {"messages": user("Hello, who are you?"), "temperature": 1.2, "seed": random.randrange(1 << 30), "n": 2}


def long_prompt(random):
    system = " ".join(random.choice(WORDS) for _ in range(80))
    return {"messages": [{"role": "system", "content": system}] + user("Who are you?"), "temperature": 0}


def legacy(random):
    return {"prompt": [f"one {random.choice(WORDS)}", "two"], "temperature": 0, "echo": True, "logprobs": 2}


KINDS = [counting, hot, schema, call, several, long_prompt, legacy]


def mixed(count, seed):
    """[(path, body)]: with log probabilities, so that answers that are equal were computed alike."""
    source = random.Random(seed)
    asked = []
    for i in range(count):
        body = KINDS[i % len(KINDS)](source)
        path = COMPLETIONS if "prompt" in body else CHAT
        shown = {} if path == COMPLETIONS else {"logprobs": True, "top_logprobs": 3}
        asked.append((path, {"model": MODEL, "max_tokens": source.randrange(16, 64)} | shown | body))
    return asked


def essence(answer):
    """What an answer says, without what is each answer's own: ids, times, what was cached."""
    body = answer.json() if hasattr(answer, "json") else answer
    own = {"id", "created", "timings", "prompt_tokens_details", "completion_tokens_details", "system_fingerprint"}
    if isinstance(body, dict):
        return {key: essence(value) for key, value in body.items() if key not in own}
    return [essence(value) for value in body] if isinstance(body, list) else body


def streamed(answer):
    """What a stream of a chat says, token by token, in however many events it came: that depends on how fast somebody reads."""
    said = {"status": answer.status, "events": [], "thinking": "", "content": "", "calls": "", "tokens": [], "finish": None}
    events = answer.events()
    for event in events[:-1]:
        for choice in event.get("choices", []):
            delta = choice["delta"]
            said["thinking"] += delta.get("reasoning_content") or ""
            said["content"] += delta.get("content") or ""
            for call in delta.get("tool_calls", []):
                said["calls"] += call["function"].get("name", "") + call["function"]["arguments"]
            said["tokens"] += (choice["logprobs"] or {"content": []})["content"]
            said["finish"] = choice["finish_reason"] or said["finish"]
        if "error" in event:
            said["events"].append(event)
    said["events"].append(events[-1] if events else None)
    return said


def ask(server, request, **more):
    path, body = request
    answer = server.post(path, body | more, timeout=120)
    assert answer.status == 200, answer.text
    return essence(answer)


def ask_all(server, requests, threads=64, **more):
    """All at once; the answers in the order of the requests."""
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda request: ask(server, request, **more), requests))


def until_ready(server, patience=30):
    """Its model is loaded: requests that come before wait for that."""
    deadline = time.monotonic() + patience
    while server.get("/readyz").status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return server


def metric(server, name, **labels):
    """The sum of a metric over its samples with these labels."""
    total = 0.0
    for line in server.get("/metrics").text.splitlines():
        found = re.match(r"([a-zA-Z_:]+)(\{.*\})? (\S+)$", line)
        if found and found[1] == name and all(f'{key}="{value}"' in (found[2] or "") for key, value in labels.items()):
            total += float(found[3])
    return total


def difference(one, other, path=""):
    """Where two answers first differ, and how; None where they are equal."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        parts = [(f"{path}.{key}", one[key], other[key]) for key in one]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        parts = [(f"{path}[{i}]", *pair) for i, pair in enumerate(zip(one, other))]
    else:
        return None if one == other else f"{path}: {str(one)[:300]} | {str(other)[:300]}"
    return next((found for part in parts if (found := difference(part[1], part[2], part[0]))), None)


def differing(requests, expected, got):
    """The first request whose answer is another one, for an assert's message; None where all are equal."""
    for request, one, other in zip(requests, expected, got):
        if found := difference(one, other):
            return f"{json.dumps(request)}: {found}"
    return None
