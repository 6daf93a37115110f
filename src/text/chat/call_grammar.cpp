#include "text/chat/call_grammar.h"

#include <algorithm>

#include "text/chat/call_readers.h"

namespace qn::text {
namespace {

constexpr std::string_view parameter_end = "</parameter>";
constexpr CharRange alphanumeric[] = {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}};
constexpr CharRange of_a_key[] = {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}, {'_', '_'}, {'-', '-'}, {'.', '.'}};

class CallRules {
 public:
  CallRules(GrammarBuilder& grammar, const std::function<bool(std::string_view)>& is_control)
      : grammar_(grammar), is_control_(is_control) {}

  // Runs of calls in this form, the first of which begins here.
  Result<RuleId> runs(const CallForm& form, const std::vector<const Tool*>& tools, const std::vector<RuleId>& arguments, Calls calls) {
    std::vector<RuleId> ways;
    for (std::size_t i = 0; i < tools.size(); ++i) {
      QN_TRY(const RuleId way, call(form, *tools[i], arguments[i]));
      ways.push_back(way);
    }
    const RuleId any_call = grammar_.choice(ways);
    std::vector<RuleId> parts = fixed(form.open);
    parts.push_back(any_call);
    if (calls == Calls::many && !form.between.empty()) {
      std::vector<RuleId> another = fixed(form.between);
      another.push_back(any_call);
      parts.push_back(grammar_.repeat(grammar_.sequence(another), 0));
    }
    for (const RuleId part : fixed(form.close)) parts.push_back(part);
    const RuleId run = grammar_.sequence(parts);
    if (calls == Calls::one || !form.between.empty()) return run;
    return grammar_.sequence({run, grammar_.repeat(grammar_.sequence({grammar_.literal(form.apart), run}), 0)});
  }

  RuleId mark(std::string_view text) {
    const bool bracketed = text.size() > 2 && (text.front() == '<' || text.front() == '[');
    if (is_control_ ? !is_control_(text) : !bracketed) return grammar_.literal(text);
    return grammar_.choice({grammar_.special(text), grammar_.literal(text)});
  }

 private:
  RuleId fixed_step(const Step& step) {
    if (step.kind == Step::Kind::text) return mark(step.text);
    return step.text.empty() ? grammar_.optional(grammar_.literal(" ")) : grammar_.literal(step.text);
  }
  std::vector<RuleId> fixed(const std::vector<Step>& steps) {
    std::vector<RuleId> out;
    for (const Step& step : steps) out.push_back(fixed_step(step));
    return out;
  }

  Result<RuleId> call(const CallForm& form, const Tool& tool, RuleId arguments) {
    std::vector<RuleId> parts;
    for (const Step& step : form.call) {
      switch (step.kind) {
        case Step::Kind::text:
        case Step::Kind::space: parts.push_back(fixed_step(step)); break;
        case Step::Kind::name: parts.push_back(grammar_.literal(tool.name)); break;
        case Step::Kind::id: parts.push_back(grammar_.repeat(grammar_.characters(alphanumeric), 9, 9)); break;
        case Step::Kind::arguments: parts.push_back(arguments); break;
        case Step::Kind::object:
          parts.push_back(grammar_.literal("{\"name\": " + quoted_json(tool.name) + ", " + quoted_json(step.text) + ": "));
          parts.push_back(arguments);
          parts.push_back(grammar_.literal("}"));
          break;
        case Step::Kind::parameters: {
          QN_TRY(const RuleId inside, parameters(tool));
          parts.push_back(inside);
          break;
        }
      }
    }
    return grammar_.sequence(parts);
  }

  RuleId text_value() { return grammar_.sequence({grammar_.until({std::string(parameter_end)}), grammar_.literal(parameter_end)}); }

  Result<RuleId> parameters(const Tool& tool) {
    std::vector<RuleId> parts = {grammar_.literal("\n")};
    const json::Object* schema = tool.parameters.if_object();
    const json::Value* properties = schema != nullptr ? schema->if_contains("properties") : nullptr;
    if (properties == nullptr || !properties->is_object()) {
      const RuleId key = grammar_.repeat(grammar_.characters(of_a_key), 1, 64);
      parts.push_back(grammar_.repeat(
          grammar_.sequence({grammar_.literal("<parameter="), key, grammar_.literal(">\n"), text_value(), grammar_.literal("\n")}), 0));
    } else {
      for (const auto& [key, property] : properties->get_object()) {
        QN_TRY(const RuleId value, parameter_value(tool, key, property));
        const RuleId one = grammar_.sequence({grammar_.literal("<parameter=" + std::string(key) + ">\n"), value, grammar_.literal("\n")});
        parts.push_back(is_required(*schema, key) ? one : grammar_.optional(one));
      }
    }
    parts.push_back(grammar_.literal("</function>"));
    return grammar_.sequence(parts);
  }

  Result<RuleId> parameter_value(const Tool& tool, std::string_view key, const json::Value& property) {
    const json::Object* object = property.if_object();
    const json::Value* values = object != nullptr ? object->if_contains("enum") : nullptr;
    const bool names =
        values != nullptr && values->is_array() && !values->get_array().empty() &&
        std::all_of(values->get_array().begin(), values->get_array().end(), [](const json::Value& v) { return v.is_string(); });
    const RuleId end = grammar_.literal("\n" + std::string(parameter_end));
    if (names) {
      std::vector<RuleId> ways;
      for (const json::Value& value : values->get_array()) ways.push_back(grammar_.literal(value.as_string()));
      return grammar_.sequence({grammar_.choice(ways), end});
    }
    if ((property_types(tool.parameters, key) & json_type::string) != 0) return text_value();
    // A property's references are resolved within it: it takes the definitions along.
    json::Value alone = property;
    if (json::Object* inner = alone.if_object())
      for (const std::string_view shared : {"$defs", "definitions"})
        if (const json::Value* definitions = tool.parameters.as_object().if_contains(shared);
            definitions != nullptr && !inner->contains(shared))
          (*inner)[shared] = *definitions;
    QN_TRY(const RuleId value,
           grammar_.json_schema(alone, fmt::format("tools: {}: parameters.properties.{}", quoted(tool.name), quoted(key))));
    return grammar_.sequence({value, end});
  }

  static bool is_required(const json::Object& schema, std::string_view key) {
    const json::Value* required = schema.if_contains("required");
    if (required == nullptr || !required->is_array()) return false;
    return std::any_of(required->get_array().begin(), required->get_array().end(),
                       [&](const json::Value& name) { return name.is_string() && name.as_string() == key; });
  }

  GrammarBuilder& grammar_;
  const std::function<bool(std::string_view)>& is_control_;
};

bool writes_json(const CallForm& form) {
  return std::any_of(form.call.begin(), form.call.end(),
                     [](const Step& step) { return step.kind == Step::Kind::arguments || step.kind == Step::Kind::object; });
}

}  // namespace

Result<RuleId> add_tool_call_rules(GrammarBuilder& grammar, const Dialect& dialect, const ReplyForm& form,
                                   const std::function<bool(std::string_view)>& is_control) {
  if (!dialect.has_tools())
    return fail(Code::unsupported, "tools: this model's template knows no tools; use another model, or leave them out");
  std::vector<const Tool*> tools;
  for (const Tool& tool : form.tools)
    if (form.choice.kind != ToolChoice::Kind::named || tool.name == form.choice.name) tools.push_back(&tool);
  if (tools.empty() && form.choice.kind == ToolChoice::Kind::named)
    return fail(Code::bad_input, "tool_choice: there is no tool {}; name one of tools", quoted(form.choice.name));
  if (tools.empty()) return fail(Code::bad_input, "tool_choice: calls are asked for, but there are no tools; give some");

  // The forms that the model is to write: for each mark the first.
  std::vector<const CallForm*> forms;
  for (const CallForm& candidate : dialect.forms)
    if (std::none_of(forms.begin(), forms.end(), [&](const CallForm* other) { return other->trigger == candidate.trigger; }))
      forms.push_back(&candidate);
  const bool automatic = form.choice.kind == ToolChoice::Kind::automatic;
  if (!automatic) forms.resize(1);

  std::vector<RuleId> arguments(tools.size(), RuleId{0});
  if (std::any_of(forms.begin(), forms.end(), [](const CallForm* one) { return writes_json(*one); })) {
    for (std::size_t i = 0; i < tools.size(); ++i) {
      if (tools[i]->parameters.is_null()) {
        arguments[i] = grammar.json_object();
      } else {
        QN_TRY(arguments[i], grammar.json_schema(tools[i]->parameters, fmt::format("tools: {}: parameters", quoted(tools[i]->name))));
      }
    }
  }
  CallRules rules(grammar, is_control);
  std::vector<RuleId> ways;
  std::vector<std::string> begins;
  for (const CallForm* one : forms) {
    // A bare object at the start may as well be the answer: only what follows a mark is certain to be a call.
    if (automatic && one->only_at_start) continue;
    QN_TRY(const RuleId way, rules.runs(*one, tools, arguments, form.calls));
    ways.push_back(way);
    begins.emplace_back(one->trigger);
  }
  const RuleId calls = grammar.choice(ways);
  if (!automatic) return calls;
  return grammar.sequence({grammar.until(begins), grammar.optional(calls)});
}

}  // namespace qn::text
