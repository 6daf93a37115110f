#include "text/template/markup.h"

#include "text/template/machine.h"
#include "text/template/print.h"

namespace qn::text::jinja {

Value with_markup(Value fresh_string, bool markup) {
  fresh_string.as<Str>().markup = markup;
  return fresh_string;
}

Result<Value> escape(Machine& machine, const Value& value) {
  if (is_markup(value)) return value;
  QN_TRY(const Value plain, to_string(machine, value));
  Text out(machine.budget());
  QN_OK(machine.work(1 + static_cast<std::int64_t>(plain.text().size() / 8)));
  std::string_view rest = plain.text();
  while (!rest.empty() && !out.full()) {
    const std::size_t special = rest.find_first_of("&<>'\"");
    out.add(rest.substr(0, special));
    if (special == std::string_view::npos) break;
    switch (rest[special]) {
      case '&': out.add("&amp;"); break;
      case '<': out.add("&lt;"); break;
      case '>': out.add("&gt;"); break;
      case '\'': out.add("&#39;"); break;
      default: out.add("&#34;"); break;
    }
    rest.remove_prefix(special + 1);
  }
  QN_TRY(std::string text, out.take());
  return with_markup(machine.heap().string(std::move(text)), true);
}

Result<Value> join_texts(Machine& machine, const Value& a, const Value& b) {
  const bool markup = is_markup(a) || is_markup(b);
  Value left = a, right = b;
  if (markup) {
    QN_TRY(left, escape(machine, a));
    QN_TRY(right, escape(machine, b));
  }
  const std::size_t bytes = left.text().size() + right.text().size();
  QN_OK(machine.budget().room(bytes));
  QN_OK(machine.work(1 + static_cast<std::int64_t>(bytes / 16)));
  std::string out;
  out.reserve(bytes);
  out += left.text();
  out += right.text();
  return with_markup(machine.heap().string(std::move(out)), markup);
}

}  // namespace qn::text::jinja
