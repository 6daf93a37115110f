"""Whether an answer is right. Each check works the truth out from the facts of the question and knows nothing of our wordings,
except where the wording is the truth: what the model says about itself, and that it does not know.
"""
import json
import re

from text.chat import Conversation

TOOL_CALL = re.compile(r"<tool_call>\n(.*?)\n</tool_call>", re.S)
TAGS = ("<tool_call>", "<tool_response>", "<think>", "</", "<|")


def content(answer: str) -> str:
    return answer.rpartition("</think>")[2].strip()


def count(chat: Conversation, answer: str) -> bool:
    """The number said is the number there is, and the word is the word asked for."""
    word, letter = chat.facts["word"], chat.facts["letter"]
    said = re.findall(r"\d+", content(answer).replace(word, "", 1))
    return word in answer and said == [str(word.lower().count(letter.lower()))]


def arithmetic(chat: Conversation, answer: str) -> bool:
    a, b = chat.facts["a"], chat.facts["b"]
    result = a + b if chat.facts["op"] == "+" else a - b
    return bool(re.search(rf"= {result}$", content(answer)))


def calls(answer: str) -> list[dict] | None:
    """The calls of an answer that is nothing but calls, or None."""
    if TOOL_CALL.sub("", content(answer)).strip():
        return None
    try:
        out = [json.loads(c) for c in TOOL_CALL.findall(answer)]
    except ValueError:
        return None
    return out if all(isinstance(c, dict) and set(c) == {"name", "arguments"} for c in out) else None


def tool_well_formed(chat: Conversation, answer: str) -> bool:
    """Parses, and names an offered function with its own parameters."""
    offered = {t["function"]["name"]: set(t["function"]["parameters"]["properties"]) for t in chat.tools}
    made = calls(answer)
    return bool(made) and all(c["name"] in offered and set(c["arguments"]) <= offered[c["name"]] for c in made)


def tool_right(chat: Conversation, answer: str) -> bool:
    return calls(answer) == chat.facts["calls"]


def plain_words(chat: Conversation, answer: str) -> bool:
    text = content(answer)
    return bool(text) and not any(tag in text for tag in TAGS) and not text.startswith("{")


def said(chat: Conversation, answer: str) -> bool:
    return content(answer) == chat.facts["answer"]


def sentence(chat: Conversation, answer: str) -> bool:
    """Word for word: the checker cannot judge another sentence."""
    return content(answer) == chat.facts["sentence"]


def json_valid(chat: Conversation, answer: str) -> bool:
    try:
        return isinstance(json.loads(content(answer)), dict)
    except ValueError:
        return False


def json_right(chat: Conversation, answer: str) -> bool:
    return json_valid(chat, answer) and list(json.loads(content(answer)).items()) == list(chat.facts["record"].items())


def recalled(chat: Conversation, answer: str) -> bool:
    """The name, or, if none was told, words that claim none."""
    name = chat.facts["name"]
    text = content(answer)
    return name in re.split(r"[ 。.，,!！]|^你叫", text) if name else ("not told" in text or "没有告诉" in text)
