// A request's body as JSON, read away from the I/O thread.
#pragma once

#include <functional>
#include <memory>

#include "api/endpoint.h"
#include "api/errors.h"
#include "api/fields.h"
#include "api/service.h"

namespace qn::api {

// Parses the body on a worker and calls `work` there. What is no JSON object is answered here.
using BodyWork = std::function<void(const std::shared_ptr<Exchange>&, const json::Object& body)>;
void read_body(Service& service, const std::shared_ptr<Exchange>& exchange, BodyWork work);
// The same, where no body at all stands for {}.
void read_optional_body(Service& service, const std::shared_ptr<Exchange>& exchange, BodyWork work);

// Answers with the mistake, if there is one, or under ?strict=1 with the first warning. True: it has been answered.
bool refused(Exchange& exchange, const Reading& reading);

// 200 and JSON; warnings are added at the top level and counted in a header.
void respond_json(Exchange& exchange, json::Object body, const std::vector<Warning>& warnings = {});

}  // namespace qn::api
