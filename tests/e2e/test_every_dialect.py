"""The same request through any dialect gives the same tokens."""

import pytest

from crowd import CHAT, COMPLETIONS, MODEL, user

QUESTIONS = ['In the word "strawberry", how many R\'s are there?', "Tell me about yourself.", "What is 17 + 25?"]
SAMPLING = [
    {"temperature": 0, "top_p": 1, "top_k": 0, "min_p": 0, "repeat_penalty": 1},
    {"temperature": 1.4, "top_p": 0.9, "top_k": 30, "min_p": 0.01, "repeat_penalty": 1, "seed": 42},
]
TOKENS = 50


def openai_chat(server, question, sampling):
    [choice] = server.post(CHAT, {"model": MODEL, "messages": user(question), "max_tokens": TOKENS} | sampling).json()["choices"]
    return choice["message"].get("reasoning", ""), choice["message"]["content"]


def ollama_chat(server, question, sampling):
    body = {"model": MODEL, "messages": user(question), "stream": False, "options": sampling | {"num_predict": TOKENS}}
    message = server.post("/api/chat", body).json()["message"]
    return message.get("thinking", ""), message["content"]


def ollama_chat_streamed(server, question, sampling):
    body = {"model": MODEL, "messages": user(question), "options": sampling | {"num_predict": TOKENS}}
    messages = [line["message"] for line in server.post("/api/chat", body).lines()]
    return "".join(message.get("thinking", "") for message in messages), "".join(message["content"] for message in messages)


def anthropic(server, question, sampling):
    body = {"model": MODEL, "messages": user(question), "max_tokens": TOKENS} | sampling | {"temperature": sampling["temperature"]}
    blocks = server.post("/v1/messages", body).json()["content"]
    thinking = "".join(block["thinking"] for block in blocks if block["type"] == "thinking")
    return thinking, "".join(block["text"] for block in blocks if block["type"] == "text")


def responses(server, question, sampling):
    items = server.post("/v1/responses", {"model": MODEL, "input": question, "max_output_tokens": TOKENS} | sampling).json()["output"]
    text = lambda kind: "".join(part["text"] for item in items if item["type"] == kind for part in item.get("content") or item["summary"])
    return text("reasoning"), text("message")


def legacy(server, tokens, sampling):
    body = {"model": MODEL, "prompt": tokens, "max_tokens": TOKENS, "logprobs": 0} | sampling
    [choice] = server.post(COMPLETIONS, body | {"return_token_ids": True}).json()["choices"]
    return choice["text"], choice["logprobs"]["token_logprobs"], choice["token_ids"]


def native(server, tokens, sampling):
    answer = server.post("/completion", {"prompt": tokens, "n_predict": TOKENS, "n_probs": 1} | sampling).json()
    return answer["content"], [token["logprob"] for token in answer["completion_probabilities"]]


@pytest.mark.parametrize("sampling", SAMPLING, ids=["greedy", "seeded"])
@pytest.mark.parametrize("dialect", [ollama_chat, ollama_chat_streamed, anthropic, responses], ids=lambda dialect: dialect.__name__)
def test_a_chat_is_answered_alike(server, dialect, sampling):
    for question in QUESTIONS:
        expected = openai_chat(server, question, sampling)
        assert any(expected)
        thinking, content = dialect(server, question, sampling)
        assert (thinking.strip(), content.strip()) == tuple(part.strip() for part in expected)


@pytest.mark.parametrize("sampling", SAMPLING, ids=["greedy", "seeded"])
def test_a_text_is_continued_alike_with_the_same_log_probabilities(server, sampling):
    for question in QUESTIONS:
        body = {"model": MODEL, "messages": user(question), "max_tokens": TOKENS, "return_token_ids": True, "logprobs": True}
        chat = server.post(CHAT, body | sampling).json()
        [choice] = chat["choices"]
        text, logprobs, tokens = legacy(server, chat["prompt_token_ids"], sampling)
        assert tokens[: len(choice["token_ids"])] == choice["token_ids"]
        end = len(choice["token_ids"])
        said = [token["logprob"] for token in choice["logprobs"]["content"]][-8:]  # after the thought
        assert len(said) == 8 and said == logprobs[end - 8 : end]
        assert native(server, chat["prompt_token_ids"], sampling) == (text, logprobs)
