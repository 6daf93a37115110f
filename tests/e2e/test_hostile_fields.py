"""Every field of a request with values of every wrong type and size: a mistake of the client is told as one, and the server goes on."""

import pytest

TURN = [{"role": "user", "content": "x"}]
BODIES = {
    "/v1/messages": {"max_tokens": 2, "messages": TURN},
    "/v1/messages/count_tokens": {"messages": TURN},
    "/v1/responses": {"input": "x", "max_output_tokens": 2},
    "/v1/responses/input_tokens": {"input": "x"},
}
FIELDS = ("model max_tokens messages system tools tool_choice thinking output_config output_format stop_sequences metadata stream temperature "
          "top_p top_k input instructions text reasoning include truncation max_output_tokens top_logprobs parallel_tool_calls "
          "previous_response_id background store user").split()
VALUES = [None, True, -1, 1e308, 2**63, "", "x", [], {}, [[]], [{}], [None], {"type": None}, {"type": "x"}, {"type": "enabled"}, {"format": 1},
          [{"type": "text"}], [{"type": "tool_use"}], [{"type": "tool_result"}], [{"role": "user"}], [{"role": "assistant", "content": None}],
          [{"type": "reasoning", "summary": [1], "content": "x"}], [{"type": "message", "role": "assistant", "content": []}],
          [{"type": "function_call", "call_id": "a", "name": "b", "arguments": "{"}],
          TURN + [{"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "b", "input": {"c": []}}]}]]


@pytest.mark.parametrize("path", BODIES)
def test_no_value_of_a_field_makes_the_server_fail(server, path):
    for field in FIELDS:
        for value in VALUES:
            reply = server.post(path, {"model": "quern-mini"} | BODIES[path] | {field: value})
            assert reply.status in (200, 400, 404), (field, value, reply.text)
            if reply.status != 200:
                assert reply.json()["error"]["message"], (field, value)
    assert server.post(path, {"model": "quern-mini"} | BODIES[path]).status == 200
