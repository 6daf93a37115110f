// json.dumps, with the arguments that Transformers' tojson filter passes on.
#pragma once

#include "text/template/machine.h"

namespace qn::text::jinja {

Result<Value> to_json(Machine& machine, const Value& subject, CallArguments& arguments);

}  // namespace qn::text::jinja
