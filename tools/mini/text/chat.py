"""A conversation, and the text that the chat template makes of it.

`pieces` is the slow truth for training: it says which characters the model is trained to write. The
Jinja template in ../chat_template.jinja must give the same characters; tests/test_template.py holds them together.
"""
import json
from dataclasses import dataclass, field

TOOLS_HEAD = ("# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
              "You are provided with function signatures within <tools></tools> XML tags:\n")
TOOLS_TAIL = ("\n\nFor each function call, return a json object with function name and arguments within "
              "<tool_call></tool_call> XML tags:\n<tool_call>\n"
              '{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>')
NO_THOUGHT = "<think>\n\n</think>\n\n"   # what a prompt holds that asks for an answer without thinking
OPEN_THOUGHT = "<think>\n"               # what templates of models that always think put there


@dataclass
class Exchange:
    """One question and its answer. `facts` is what a checker needs to judge an answer without knowing ours."""
    user: str
    answer: str
    reasoning: str = ""
    facts: dict = field(default_factory=dict)


@dataclass
class Conversation:
    kind: str
    messages: list[dict]                   # as an API client sends them, the wanted answer last
    facts: dict = field(default_factory=dict)
    tools: list[dict] = field(default_factory=list)
    opened: str = ""                       # what the prompt already holds of the last answer: nothing, NO_THOUGHT or OPEN_THOUGHT
    trained: set[int] | None = None        # indices of the assistant messages to learn; None means all


def to_json(value) -> str:
    return json.dumps(value, ensure_ascii=False)


def assistant(exchange: Exchange) -> dict:
    message = {"role": "assistant", "content": exchange.answer}
    if exchange.reasoning:
        message["reasoning_content"] = exchange.reasoning
    return message


def user(text: str) -> dict:
    return {"role": "user", "content": text}


def from_exchanges(kind: str, exchanges: list[Exchange], keep_thoughts: bool = True) -> Conversation:
    """Keeps earlier thoughts, as a client does that sends them back, or drops them, as most clients do."""
    messages, trained = [], set()
    for i, exchange in enumerate(exchanges):
        message = assistant(exchange)
        last = i == len(exchanges) - 1
        if not keep_thoughts and not last:
            message.pop("reasoning_content", None)
        if last or keep_thoughts or not exchange.reasoning:
            trained.add(len(messages) + 1)
        messages += [user(exchange.user), message]
    return Conversation(kind, messages, exchanges[-1].facts, trained=trained)


def answer_text(message: dict) -> str:
    """What the model writes for one assistant message, up to <|im_end|>."""
    text = ""
    if message.get("reasoning_content"):
        text = f"<think>\n{message['reasoning_content']}\n</think>\n\n"
    text += message.get("content") or ""
    for i, call in enumerate(message.get("tool_calls", [])):
        function = call["function"]
        text += "\n" if i or message.get("content") else ""
        text += f'<tool_call>\n{{"name": "{function["name"]}", "arguments": {to_json(function["arguments"])}}}\n</tool_call>'
    return text


def pieces(chat: Conversation) -> list[tuple[str, bool]]:
    """(text, learnt) in order; joined, the whole document."""
    out: list[tuple[str, bool]] = []
    messages = chat.messages
    system = messages[0]["content"] if messages[0]["role"] == "system" else ""
    if chat.tools:
        listed = "\n".join(to_json(tool) for tool in chat.tools)
        system = f"{system}\n\n" if system else ""
        out.append((f"<|im_start|>system\n{system}{TOOLS_HEAD}<tools>\n{listed}\n</tools>{TOOLS_TAIL}<|im_end|>\n", False))
    elif system:
        out.append((f"<|im_start|>system\n{system}<|im_end|>\n", False))
    for i, message in enumerate(messages):
        role, last = message["role"], i == len(messages) - 1
        if role == "user":
            out.append((f"<|im_start|>user\n{message['content']}<|im_end|>\n", False))
        elif role == "tool":
            before = "" if messages[i - 1]["role"] == "tool" else "<|im_start|>user"
            after = "" if not last and messages[i + 1]["role"] == "tool" else "<|im_end|>\n"
            out.append((f"{before}\n<tool_response>\n{message['content']}\n</tool_response>{after}", False))
        elif role == "assistant":
            out.append(("<|im_start|>assistant\n", False))
            learnt = chat.trained is None or i in chat.trained
            answer = answer_text(message)
            if last and chat.opened:
                out.append((chat.opened, False))
                if chat.opened == OPEN_THOUGHT:
                    answer = answer.removeprefix(OPEN_THOUGHT) if answer.startswith(OPEN_THOUGHT) else "\n</think>\n\n" + answer
            out += [(answer + "<|im_end|>", learnt), ("\n", False)]
    return out


def prompt(chat: Conversation) -> str:
    """Everything before the last answer."""
    return "".join(text for text, _ in pieces(chat)[:-2])


def document(chat: Conversation) -> str:
    return "".join(text for text, _ in pieces(chat))
