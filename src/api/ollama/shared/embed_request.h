// What /api/embed and the older /api/embeddings read alike.
#pragma once

#include "api/embed.h"
#include "api/ollama/shared/request.h"

namespace qn::api::ollama {

// Takes model, keep_alive, options; of these only num_ctx matters to an embedding, and it bounds each input.
EmbedJob read_embed_job(const Service& service, Fields& fields);

}  // namespace qn::api::ollama
