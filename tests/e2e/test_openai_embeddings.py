"""Embeddings in OpenAI's and llama-server's form, rerank and score. quern-mini is no embedding model, but its vectors are vectors."""

import base64
import math
import struct

import pytest

from edited_gguf import edited
from server import Server

WIDTH = 256


def embed(server, **fields):
    reply = server.post("/v1/embeddings", {"model": "quern-mini"} | fields)
    assert reply.status == 200, reply.text
    return reply.json()


def vectors(reply):
    return [entry["embedding"] for entry in reply["data"]]


def dot(a, b):
    return math.fsum(x * y for x, y in zip(a, b))


def test_an_embedding_is_a_vector_of_length_one(server):
    reply = embed(server, input="Hello, world!")
    assert list(reply) == ["object", "data", "model", "usage"]
    assert reply["object"] == "list" and reply["model"] == "quern-mini"
    entry, = reply["data"]
    assert entry["object"] == "embedding" and entry["index"] == 0 and len(entry["embedding"]) == WIDTH
    assert dot(entry["embedding"], entry["embedding"]) == pytest.approx(1, abs=1e-6)
    tokens = server.post("/tokenize", {"content": "Hello, world!"}).json()["tokens"]
    assert reply["usage"] == {"prompt_tokens": len(tokens), "total_tokens": len(tokens)}


def test_text_and_its_tokens_give_the_same_vector(server):
    texts = ["Hello, world!", "How are you?"]
    ids = [server.post("/tokenize", {"content": text}).json()["tokens"] for text in texts]
    by_text = vectors(embed(server, input=texts))
    assert vectors(embed(server, input=ids)) == by_text
    assert vectors(embed(server, input=ids[0])) == by_text[:1]
    assert vectors(embed(server, input=texts[1])) == by_text[1:]


def test_base64_holds_the_same_numbers(server):
    plain, = vectors(embed(server, input="Hello"))
    coded, = vectors(embed(server, input="Hello", encoding_format="base64"))
    assert struct.unpack(f"<{WIDTH}f", base64.b64decode(coded)) == struct.unpack(f"<{WIDTH}f", struct.pack(f"<{WIDTH}f", *plain))


def test_fewer_dimensions_are_the_first_ones_at_length_one(server):
    whole, = vectors(embed(server, input="Hello"))
    cut, = vectors(embed(server, input="Hello", dimensions=32))
    length = math.sqrt(dot(whole[:32], whole[:32]))
    assert cut == pytest.approx([x / length for x in whole[:32]], abs=1e-6)
    assert server.post("/v1/embeddings", {"input": "a", "dimensions": WIDTH + 1}).status == 400


def test_vectors_do_not_depend_on_company(server):
    alone, = vectors(embed(server, input="What is seven plus five?"))
    texts = [f"Text number {i}, which says little." for i in range(200)] + ["What is seven plus five?"]
    assert vectors(embed(server, input=texts))[-1] == alone


@pytest.mark.parametrize("value", ["", [], [""], [[]], 7, [1.5], [["a"]], {"text": "a"}])
def test_empty_or_odd_input_is_refused(server, value):
    reply = server.post("/v1/embeddings", {"input": value})
    assert reply.status == 400 and reply.json()["error"]["param"] == "input"


def test_input_that_does_not_fit_is_refused_or_cut_and_told(server):
    long = "word " * 3000
    reply = server.post("/v1/embeddings", {"input": long})
    assert reply.status == 400 and reply.json()["error"]["code"] == "context_length_exceeded"
    cut = embed(server, input=long, truncate_prompt_tokens=10)
    assert cut["usage"]["prompt_tokens"] == 10 and cut["truncated"]["dropped_tokens"] > 100
    assert embed(server, input=long, truncate=True)["usage"]["prompt_tokens"] > 10


def test_the_openai_client_takes_them(server):
    openai = pytest.importorskip("openai")
    client = openai.OpenAI(base_url=server.url + "/v1", api_key="any")
    reply = client.embeddings.create(model="quern-mini", input=["a", "b"])  # asks for base64
    assert [len(entry.embedding) for entry in reply.data] == [WIDTH, WIDTH]
    assert reply.data[0].embedding == pytest.approx(vectors(embed(server, input="a"))[0], abs=1e-7)


def test_llama_servers_form_has_a_list_in_a_list_and_any_norm(server):
    plain, = vectors(embed(server, input="Hello"))
    reply = server.post("/embedding", {"content": "Hello"}).json()
    assert reply == [{"index": 0, "embedding": [plain]}]
    raw = server.post("/embeddings", {"input": "Hello", "embd_normalize": -1}).json()[0]["embedding"][0]
    length = math.sqrt(dot(raw, raw))
    assert length != pytest.approx(1, abs=1e-3)
    assert [x / length for x in raw] == pytest.approx(plain, abs=1e-6)
    largest = server.post("/embedding", {"content": "Hello", "embd_normalize": 0}).json()[0]["embedding"][0]
    assert max(abs(x) for x in largest) == pytest.approx(32760)
    assert server.post("/embedding", {}).status == 400


# The pooling that a file asks for: 1 mean, 2 first, 3 last.

@pytest.fixture(scope="module")
def pooled(tmp_path_factory):
    from conftest import Quern, built_program
    folder = tmp_path_factory.mktemp("pooled")
    models = {kind: edited(folder / f"pool{kind}.gguf", {"qwen2.pooling_type": kind}) for kind in (1, 2, 3, 4)}
    with Server(Quern(built_program(), folder), *models.values()) as running:
        running.models = models
        yield running


def test_the_last_token_is_the_default(server, pooled):
    assert vectors(embed(pooled, model=pooled.models[3], input="Hello there")) == vectors(embed(server, input="Hello there"))


def test_pooling_by_the_first_sees_the_first_only(pooled):
    one = vectors(embed(pooled, model=pooled.models[2], input="Hello there"))
    assert one == vectors(embed(pooled, model=pooled.models[2], input="Hello you"))


def test_the_mean_is_that_of_all_tokens(server, pooled):
    ids = server.post("/tokenize", {"content": "Hello there, you"}).json()["tokens"]
    prefixes = [ids[:n] for n in range(1, len(ids) + 1)]
    rows = [server.post("/embedding", {"content": prefix, "embd_normalize": -1}).json()[0]["embedding"][0] for prefix in prefixes]
    mean = [math.fsum(column) / len(rows) for column in zip(*rows)]
    found = pooled.post("/embedding", {"model": pooled.models[1], "content": ids, "embd_normalize": -1}).json()[0]["embedding"][0]
    assert found == pytest.approx(mean, rel=1e-4, abs=1e-4)


def test_a_kind_that_is_not_offered_is_refused(pooled):
    assert pooled.post("/v1/embeddings", {"model": pooled.models[4], "input": "a"}).status == 400


# Rerank and score

DOCUMENTS = ["The capital of France is Paris.", "Bread is baked from flour.", "Seven plus five is twelve."]


def rerank(server, path="/v1/rerank", **fields):
    reply = server.post(path, {"query": "What is the capital of France?", "documents": DOCUMENTS} | fields)
    assert reply.status == 200, reply.text
    return reply.json()


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank", "/v2/rerank", "/reranking", "/v1/reranking"])
def test_rerank_answers_best_first(server, path):
    reply = rerank(server, path)
    assert list(reply) == ["id", "object", "model", "results", "usage"]
    assert reply["id"].startswith("rerank-")
    scores = [result["relevance_score"] for result in reply["results"]]
    assert scores == sorted(scores, reverse=True) and all(0 <= score <= 1 for score in scores)
    assert sorted(result["index"] for result in reply["results"]) == [0, 1, 2]
    assert all(result["document"]["text"] == DOCUMENTS[result["index"]] for result in reply["results"])
    assert reply["usage"]["prompt_tokens"] > 0


def test_rerank_shows_as_much_as_asked(server):
    assert len(rerank(server, top_n=1)["results"]) == 1
    assert len(rerank(server, top_n=0)["results"]) == 3
    assert "document" not in rerank(server, return_documents=False)["results"][0]
    assert rerank(server, documents=[{"text": text} for text in DOCUMENTS])["results"] == rerank(server)["results"]


def test_rerank_takes_the_shape_of_text_embeddings_inference(server):
    reply = server.post("/rerank", {"query": "What is the capital of France?", "texts": DOCUMENTS, "return_text": True}).json()
    assert [(entry["index"], entry["score"], entry["text"]) for entry in reply] == [
        (entry["index"], entry["relevance_score"], entry["document"]["text"]) for entry in rerank(server)["results"]]
    assert list(server.post("/rerank", {"query": "a", "texts": ["b"]}).json()[0]) == ["index", "score"]


def test_rerank_says_what_is_missing(server):
    assert server.post("/rerank", {"documents": ["a"]}).json()["error"]["message"] == '"query" must be provided'
    for documents in [None, [], 7]:
        assert server.post("/rerank", {"query": "a", "documents": documents}).status == 400
    assert server.post("/rerank", {"query": "a"}).json()["error"]["message"] == '"documents" must be a non-empty string array'


def test_a_score_is_the_chance_of_yes_against_no(server):
    yes, no = (server.post("/tokenize", {"content": word}).json()["tokens"][0] for word in ("yes", "no"))
    prompt = ("<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct provided. Note that the "
              "answer can only be \"yes\" or \"no\".<|im_end|>\n<|im_start|>user\n<Instruct>: Given a web search query, retrieve relevant "
              "passages that answer the query\n<Query>: a b\n<Document>: c d<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n")
    entry = server.post("/completion", {"prompt": prompt, "n_predict": 1, "logit_bias": [[yes, 1e5]], "n_probs": 128}).json()
    known = {top["id"]: top["logprob"] for top in entry["completion_probabilities"][0]["top_logprobs"]}
    if yes not in known or no not in known:
        pytest.skip("neither is among the likeliest 128")
    expected = 1 / (1 + math.exp(known[no] - known[yes]))
    found = server.post("/score", {"text_1": "a b", "text_2": "c d"}).json()["data"][0]["score"]
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("one, many", [("text_1", "text_2"), ("queries", "documents"), ("data_1", "data_2")])
def test_score_compares_one_with_many_or_pairs(server, one, many):
    single = server.post("/v1/score", {one: "q", many: ["a", "b"]}).json()
    assert list(single) == ["id", "object", "created", "model", "data", "usage"]
    pairs = server.post("/v1/score", {one: ["q", "q"], many: ["a", "b"]}).json()
    assert [entry["score"] for entry in pairs["data"]] == [entry["score"] for entry in single["data"]]
    assert [(entry["index"], entry["object"]) for entry in pairs["data"]] == [(0, "score"), (1, "score")]
    assert server.post("/v1/score", {one: ["q", "q"], many: ["a"]}).status == 400


def test_an_embedding_model_ranks_by_the_angle(pooled):
    model = pooled.models[3]
    reply = pooled.post("/score", {"model": model, "text_1": "Hello", "text_2": ["Hello", "How are you?"]}).json()
    a, b = vectors(embed(pooled, model=model, input=["Hello", "How are you?"]))
    assert [entry["score"] for entry in reply["data"]] == pytest.approx([1, dot(a, b)], abs=1e-6)
