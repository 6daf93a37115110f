"""Ollama's own Python client, requests, and LangChain's ChatOllama and OllamaEmbeddings against a running server."""

import json

import pytest

MODEL = "quern-mini"
STRAWBERRY = 'In the word "strawberry", how many R\'s are there?'


@pytest.fixture
def client(server):
    return pytest.importorskip("ollama").Client(host=server.url)


def get_weather(city: str) -> str:
    """Get the weather.

    Args:
      city: the city
    """
    return f"sunny in {city}"


def test_the_client_chats(client):
    reply = client.chat(MODEL, [{"role": "user", "content": STRAWBERRY}], options={"temperature": 0})
    assert "3" in reply.message.content and reply.message.thinking and reply.done_reason == "stop" and reply.eval_count > 0


def test_the_client_streams(client):
    parts = list(client.chat(MODEL, [{"role": "user", "content": STRAWBERRY}], stream=True, options={"temperature": 0}))
    assert "3" in "".join(part.message.content or "" for part in parts) and parts[-1].done and parts[-1].total_duration > 0


def test_the_client_calls_a_tool_and_sends_its_answer(client):
    messages = [{"role": "user", "content": "What is the weather in Paris?"}]
    reply = client.chat(MODEL, messages, tools=[get_weather], options={"temperature": 0})
    call = reply.message.tool_calls[0].function
    assert call.name == "get_weather" and call.arguments == {"city": "Paris"}
    messages += [reply.message, {"role": "tool", "tool_name": call.name, "content": get_weather(**call.arguments)}]
    assert client.chat(MODEL, messages, tools=[get_weather], options={"temperature": 0}).done


def test_the_client_generates_embeds_and_lists(client):
    assert client.generate(MODEL, "Hello!", options={"temperature": 0}).response
    assert len(client.embed(MODEL, ["a cat", "a dog"]).embeddings) == 2
    assert client.embeddings(MODEL, "a cat").embedding
    assert MODEL in [model.model for model in client.list().models]
    assert MODEL in [model.model for model in client.ps().models]
    shown = client.show(MODEL)
    assert shown.modelinfo["qwen2.context_length"] > 0 and "tools" in shown.capabilities


def test_the_client_gets_a_schema_s_form(client):
    schema = {"type": "object", "properties": {"answer": {"type": "integer"}}, "required": ["answer"]}
    reply = client.chat(MODEL, [{"role": "user", "content": "What is 2 + 2? Answer in JSON."}], format=schema, think=False,
                        options={"temperature": 0, "num_predict": 64})
    assert type(json.loads(reply.message.content)["answer"]) is int


def test_the_client_s_errors(client):
    ollama = pytest.importorskip("ollama")
    with pytest.raises(ollama.ResponseError) as wrong:
        client.chat("nobody", [{"role": "user", "content": "x"}])
    assert wrong.value.status_code == 404 and "not found" in wrong.value.error


def test_requests_reads_the_stream_of_the_manual(server):
    requests = pytest.importorskip("requests")
    body = {"model": MODEL, "messages": [{"role": "user", "content": STRAWBERRY}], "stream": True, "options": {"temperature": 0}}
    with requests.post(server.url + "/api/chat", json=body, stream=True, timeout=60) as reply:
        assert reply.status_code == 200
        lines = [json.loads(line) for line in reply.iter_lines()]
    assert "3" in "".join(line["message"]["content"] for line in lines) and lines[-1]["done"]


def test_langchain_chats_streams_and_calls_tools(server):
    langchain = pytest.importorskip("langchain_ollama")
    model = langchain.ChatOllama(model=MODEL, base_url=server.url, temperature=0, mirostat=0, tfs_z=1.0, num_ctx=1024)
    assert "3" in model.invoke(STRAWBERRY).content
    assert "3" in "".join(chunk.content for chunk in model.stream(STRAWBERRY))
    reply = model.bind_tools([get_weather]).invoke("What is the weather in Paris?")
    assert reply.tool_calls[0]["name"] == "get_weather" and reply.tool_calls[0]["args"] == {"city": "Paris"}
    assert reply.usage_metadata["total_tokens"] > 0


def test_langchain_embeds(server):
    langchain = pytest.importorskip("langchain_ollama")
    vectors = langchain.OllamaEmbeddings(model=MODEL, base_url=server.url).embed_documents(["a cat", "a dog"])
    assert len(vectors) == 2 and len(vectors[0]) == len(vectors[1]) > 0
