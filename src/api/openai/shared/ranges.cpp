#include "api/openai/shared/ranges.h"

namespace qn::api::openai {

void check_ranges(Fields& fields) {
  fields.number("presence_penalty", -2, 2);
  fields.number("frequency_penalty", -2, 2);
  const std::optional<double> top_p = fields.number("top_p", 0, 1);
  if (top_p && *top_p <= 0)
    fields.reading().refuse("top_p", Code::bad_input,
                            "top_p: must be more than 0; give a number up to 1, or temperature 0 for the likeliest token");
}

}  // namespace qn::api::openai
