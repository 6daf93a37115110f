// Whose names GET /metrics has beside our own.
#pragma once

namespace qn::api {

enum class MetricNames { none, vllm, llama_server };

}  // namespace qn::api
