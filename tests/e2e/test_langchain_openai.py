"""LangChain's OpenAI package against the running server."""

import langchain_openai
import pydantic
import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool

COUNT = 'In the word "strawberry", how many R\'s are there?'


@tool
def get_weather(city: str) -> str:
    """Get the weather in a city."""
    return '{"temperature": 18, "sky": "cloudy"}'


class Person(pydantic.BaseModel):
    """A person."""

    name: str
    age: int
    city: str


@pytest.fixture(scope="module")
def model(server):
    return langchain_openai.ChatOpenAI(
        base_url=server.url + "/v1",
        api_key="any",
        model="quern-mini",
        temperature=0,
        max_tokens=200,
        max_retries=0,
        use_responses_api=False,
    )


def test_invoke_answers_with_usage(model):
    answer = model.invoke([SystemMessage("You are helpful."), HumanMessage(COUNT)])
    assert "R's" in answer.content and answer.response_metadata["finish_reason"] == "stop"
    assert answer.usage_metadata["total_tokens"] == answer.usage_metadata["input_tokens"] + answer.usage_metadata["output_tokens"]


def test_a_stream_adds_up_to_the_answer(model):
    chunks = list(model.stream(COUNT, stream_usage=True))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert whole.content == model.invoke(COUNT).content and len(chunks) > 5
    assert whole.usage_metadata["output_tokens"] > 0 and whole.response_metadata["finish_reason"] == "stop"


def test_a_batch_answers_each(model):
    words = ["banana", "coffee", "pepper"]
    answers = model.batch([f'In the word "{word}", how many E\'s are there?' for word in words])
    assert all(word in answer.content for word, answer in zip(words, answers))


def test_a_bound_tool_is_called_and_its_result_used(model):
    bound = model.bind_tools([get_weather])
    question = HumanMessage("What is the weather in Paris?")
    asked = bound.invoke([question])
    [call] = asked.tool_calls
    assert call["name"] == "get_weather" and call["args"] == {"city": "Paris"} and not asked.invalid_tool_calls
    result = get_weather.invoke(call)
    assert isinstance(asked, AIMessage) and isinstance(result, ToolMessage)
    assert "18" in bound.invoke([question, asked, result]).content


def test_a_streamed_call_is_whole_at_the_end(model):
    whole = None
    for chunk in model.bind_tools([get_weather], tool_choice="get_weather").stream("What is the weather in Paris?"):
        whole = chunk if whole is None else whole + chunk
    assert [(call["name"], call["args"]) for call in whole.tool_calls] == [("get_weather", {"city": "Paris"})]


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_structured_output_is_an_instance(model, method):
    ask = model.with_structured_output(Person, method=method)
    person = ask.invoke("Give me JSON with name Ada, age 36 and city London.")
    assert isinstance(person, Person)
    if method != "function_calling":  # a call's arguments are as good as the model: only their form is promised
        assert person == Person(name="Ada", age=36, city="London")
