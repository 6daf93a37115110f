// Templates that try to take the machine with them: each ends in an error, in under a second and without 64 MiB.
#include <gtest/gtest.h>

#include <ctime>
#include <fstream>
#include <ostream>

#include "unit/text/template_samples.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define QN_SANITIZED 1
#else
#define QN_SANITIZED 0
#endif

namespace qn::text {
namespace {

std::string repeated(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

// A line of /proc/self/status, in KiB.
long memory_kib(const std::string& field) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.rfind(field, 0) == 0) return std::stol(line.substr(field.size() + 1));
  return 0;
}

struct Hostile {
  const char* name;
  std::string source;
  friend std::ostream& operator<<(std::ostream& out, const Hostile& hostile) { return out << hostile.name; }
};

// Of this process, so that a busy machine does not count.
double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

std::vector<Hostile> hostile_templates() {
  constexpr int many = 100'000;
  return {
      {"parentheses", "{{ " + repeated("(", many) + "1" + repeated(")", many) + " }}"},
      {"open_parentheses", "{{ " + repeated("(", many)},
      {"lists", "{{ " + repeated("[", many) + repeated("]", many) + " }}"},
      {"dicts", "{{ " + repeated("{1:", many) + "1" + repeated("}", many) + " }}"},
      {"not_not", "{{ " + repeated("not ", many) + "1 }}"},
      {"minus_minus", "{{ " + repeated("-", many) + "1 }}"},
      {"inline_ifs", "{{ " + repeated("1 if 0 else ", many) + "1 }}"},
      {"sums", "{{ 1" + repeated("+1", many) + " }}"},
      {"attributes", "{{ x" + repeated(".x", many) + " }}"},
      {"filters", "{{ x" + repeated("|e", many) + " }}"},
      {"calls", "{{ x" + repeated("()", many) + " }}"},
      {"subscripts", "{{ x" + repeated("[x", many) + repeated("]", many) + " }}"},
      {"ifs", repeated("{% if 1 %}", many) + repeated("{% endif %}", many)},
      {"fors", repeated("{% for i in [1] %}", many / 2) + repeated("{% endfor %}", many / 2)},
      {"macros", repeated("{% macro m() %}", many / 2) + repeated("{% endmacro %}", many / 2)},
      {"targets", "{% for " + repeated("(", many) + "a" + repeated(")", many) + " in x %}{% endfor %}"},
      {"many_nodes", "{{ [" + repeated("a,", 500'000) + "] }}"},
      {"many_prints", repeated("{{a}}", 200'000)},
      {"macro_recursion", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"},
      {"macro_recursion_in_a_list", "{% macro f(x) %}{{ f([x, x]) }}{% endmacro %}{{ f(1) }}"},
      {"two_macros", "{% macro f() %}{{ g() }}{{ g() }}{% endmacro %}{% macro g() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}"},
      {"loop_recursion", "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}"},
      {"caller_recursion", "{% macro f() %}{% call f() %}{{ caller() }}{% endcall %}{% endmacro %}{{ f() }}"},
      {"repeat_text", "{{ 'a' * 10**9 }}"},
      {"repeat_text_hugely", "{{ 'ab' * 10**30 }}"},
      {"repeat_list", "{{ [1] * 10**9 }}"},
      {"repeat_tuple", "{{ 10**12 * (1, 2) }}"},
      {"double_text", "{% set n = namespace(s='x' * 1000) %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}"},
      {"double_text_by_tilde", "{% set n = namespace(s='x' * 1000) %}{% for i in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}"},
      {"double_list", "{% set n = namespace(s=[1]) %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}"},
      {"double_shared_list", "{% set n = namespace(s=[1]) %}{% for i in range(99) %}{% set n.s = [n.s, n.s] %}{% endfor %}{{ n.s }}"},
      {"double_shared_list_to_json",
       "{% set n = namespace(s=[1]) %}{% for i in range(99) %}{% set n.s = [n.s, n.s] %}{% endfor %}{{ n.s|tojson }}"},
      {"compare_shared_lists",
       "{% set n = namespace(s=[1], t=[1]) %}{% for i in range(60) %}{% set n.s = [n.s, n.s] %}{% set n.t = [n.t, n.t] %}{% endfor %}{{ "
       "n.s == n.t }}"},
      {"hash_shared_tuples", "{% set n = namespace(s=(1,)) %}{% for i in range(60) %}{% set n.s = (n.s, n.s) %}{% endfor %}{{ {n.s: 1} }}"},
      {"deep_list", "{% set n = namespace(s=[]) %}{% for i in range(90000) %}{% set n.s = [n.s] %}{% endfor %}{{ n.s }}"},
      {"deep_list_to_json", "{% set n = namespace(s=[]) %}{% for i in range(90000) %}{% set n.s = [n.s] %}{% endfor %}{{ n.s|tojson }}"},
      {"deep_namespaces", "{% set n = namespace(s=0) %}{% for i in range(90000) %}{% set n.s = namespace(s=n.s) %}{% endfor %}{{ n.s }}"},
      {"namespace_in_itself", "{% set n = namespace() %}{% set n.n = n %}{{ n }}"},
      {"nested_loops", repeated("{% for i in range(100000) %}", 5) + repeated("{% endfor %}", 5)},
      {"nested_loops_that_print", repeated("{% for i in range(1000) %}", 5) + "0123456789" + repeated("{% endfor %}", 5)},
      {"huge_range", "{{ range(10**9)|list }}"},
      {"huge_range_step", "{{ range(0, 10**30, 3) }}"},
      {"many_ranges", "{% set n = namespace(s=[]) %}{% for i in range(99999) %}{% set n.s = n.s + range(1000)|list %}{% endfor %}"},
      {"huge_power", "{{ 10**1000 }}"},
      {"huge_power_tower", "{{ 9**9**9**9 }}"},
      {"huge_literal", "{{ " + repeated("9", many) + " }}"},
      {"huge_int_filter", "{{ ('9' * 100000)|int }}"},
      {"factorial", "{% set n = namespace(s=1) %}{% for i in range(1, 999) %}{% set n.s = n.s * i %}{% endfor %}{{ n.s }}"},
      {"percent_width", "{{ '%99999999d' % 1 }}"},
      {"percent_huge_width", "{{ '%99999999999999999999999d' % 1 }}"},
      {"percent_precision", "{{ '%.999999999f' % 1 }}"},
      {"percent_star", "{{ '%*d' % (10**9, 1) }}"},
      {"many_percent", "{{ ('%1000000d' * 1000) % ((1,) * 1000) }}"},
      {"brace_width", "{{ '{:999999999}'.format(1) }}"},
      {"brace_fill", "{{ '{:你^99999999}'.format('a') }}"},
      {"brace_precision", "{{ '{:.999999999f}'.format(1.5) }}"},
      {"brace_nested", "{{ '" + repeated("{:", 5000) + repeated("}", 5000) + "'.format(1) }}"},
      {"brace_grouping", "{{ '{:0999999999,}'.format(1) }}"},
      {"center_filter", "{{ 'a'|center(10**9) }}"},
      {"center_method", "{{ 'a'.center(10**9) }}"},
      {"ljust_wide", "{{ 'a'.ljust(10**9, '你') }}"},
      {"zfill", "{{ 'a'.zfill(10**9) }}"},
      {"expandtabs", "{{ ('\\t' * 100000).expandtabs(9999) }}"},
      {"indent", "{{ ('a\\n' * 100000)|indent(100000) }}"},
      {"indent_width", "{{ 'a\\na'|indent(10**9) }}"},
      {"indent_text", "{{ ('a\\n' * 100000)|indent('x' * 100000) }}"},
      {"json_indent", "{{ [[[1]]]|tojson(indent=10**9) }}"},
      {"json_indent_text", "{{ range(10000)|list|tojson(indent='x' * 100000) }}"},
      {"json_separator", "{{ range(10000)|list|tojson(separators=('x' * 100000, '')) }}"},
      {"replace", "{{ ('a' * 1000000)|replace('a', 'b' * 1000) }}"},
      {"replace_method", "{{ ('a' * 1000000).replace('', 'b' * 1000) }}"},
      {"join_filter", "{{ range(100000)|join('x' * 100000) }}"},
      {"join_method", "{{ ('x' * 100000).join(('a' * 100000)|list) }}"},
      {"characters", "{{ ('a' * 10000000)|list|length }}"},
      {"split", "{{ ('a ' * 5000000).split()|length }}"},
      {"split_by", "{{ ('a,' * 5000000).split(',')|length }}"},
      {"splitlines", "{{ ('\\n' * 10000000).splitlines()|length }}"},
      {"escape", "{{ ('\"' * 9000000)|e }}"},
      {"urlencode", "{{ ('你' * 5000000)|urlencode }}"},
      {"repr", "{{ ['\\x01' * 9000000] }}"},
      {"upper_wide", "{{ ('ß' * 8000000)|upper|upper }}"},
      {"batch_fill", "{{ [1]|batch(10**9, 'x')|list }}"},
      {"slice_parts", "{{ [1]|slice(10**9)|list }}"},
      {"sort_lists", "{% set n = namespace(s=[1] * 20000) %}{% for i in range(9999) %}{% set n.t = ([n.s] * 1000)|sort %}{% endfor %}"},
      {"sort_and_reverse", "{% for i in range(99999) %}{% set x = range(90000)|sort(reverse=true) %}{% endfor %}"},
      {"index_wide_text",
       "{% set s = '你' * 1000000 %}{% for i in range(99999) %}{% for j in range(99999) %}{{ s[999999] }}{% endfor %}{% endfor %}"},
      {"search_text",
       "{% set s = 'a' * 1000000 %}{% for i in range(99999) %}{% if 'ab' in s or s.find('ac') > 0 or s.count('b') %}{% endif %}{% endfor "
       "%}"},
      {"strip_text", "{% set s = ' ' * 1000000 %}{% for i in range(99999) %}{% if s.strip() or s|trim %}{% endif %}{% endfor %}"},
      {"lower_text", "{% set s = 'A' * 1000000 %}{% for i in range(99999) %}{% if s.lower() == s|lower|title %}{% endif %}{% endfor %}"},
      {"dict_of_many", "{% set n = namespace() %}{% for i in range(100000) %}{% set n.d = dict(n.d or {}, **{'k' ~ i: i}) %}{% endfor %}"},
      {"kept_generators",
       "{% set n = namespace(g=[1]) %}{% for i in range(90000) %}{% set n.g = n.g|map('string') %}{% endfor %}{{ n.g|list }}"},
      {"kept_macros",
       "{% set n = namespace(l=[]) %}{% for i in range(99999) %}{% macro m() %}{{ n }}{% endmacro %}{% set n.l = [n.l, m] %}{% endfor %}{{ "
       "n.l }}"},
      {"many_arguments", "{% macro f() %}{{ varargs|length }}{% endmacro %}{% for i in range(99999) %}{{ f(*range(99999)) }}{% endfor %}"},
      {"strftime", "{% for i in range(99999) %}{{ strftime_now('%c' * 99999) }}{% endfor %}"},
      {"set_blocks", "{% set a %}x{% endset %}{% for i in range(99) %}{% set a %}{{ a }}{{ a }}{% endset %}{% endfor %}" +
                         repeated("{% set a %}{{ a }}{{ a }}{% endset %}", 60) + "{{ a }}"},
      {"filter_blocks", repeated("{% filter replace('a', 'aaaaaaaaaa') %}", 60) + "a" + repeated("{% endfilter %}", 60)},
      {"missing_names",
       repeated("{% for i in range(100000) %}", 3) + "{{ nobody_that_has_a_very_long_name.x is defined }}" + repeated("{% endfor %}", 3)},
  };
}

class HostileTemplate : public testing::TestWithParam<Hostile> {};

TEST_P(HostileTemplate, ends_in_an_error_within_a_second_and_64_mib) {
  std::ofstream("/proc/self/clear_refs") << "5";  // the high-water mark begins anew
  const long before_kib = memory_kib("VmRSS:");
  const double start = cpu_seconds();
  const auto form = Template::parse(GetParam().source);
  Result<std::string> out = fail(Code::bad_input, "not parsed");
  if (form) out = form->render({}, sample_time());
  const double taken = cpu_seconds() - start;
  EXPECT_FALSE(out) << out->substr(0, 100);
  const std::string& message = form ? out.error().message : form.error().message;
  EXPECT_EQ(message.rfind("chat template: ", 0), 0u) << message;
  EXPECT_LT(message.size(), 400u);
  if (!QN_SANITIZED) {
    EXPECT_LT(taken, 1.0) << message;
    EXPECT_LT(memory_kib("VmHWM:") - before_kib, 64 * 1024) << message;
  }
}

INSTANTIATE_TEST_SUITE_P(Templates, HostileTemplate, testing::ValuesIn(hostile_templates()),
                         [](const testing::TestParamInfo<Hostile>& param) { return std::string(param.param.name); });

TEST(TemplateLimits, nesting_is_accepted_at_the_limit_and_refused_past_it) {
  const auto nested = [](int depth) { return "{{ " + repeated("(", depth) + "1" + repeated(")", depth) + " }}"; };
  EXPECT_EQ(rendered(nested(128)), "1");
  EXPECT_FALSE(Template::parse(nested(129)));
  const auto blocks = [](int depth) { return repeated("{% if 1 %}", depth) + "x" + repeated("{% endif %}", depth); };
  EXPECT_EQ(rendered(blocks(127)), "x");
  EXPECT_FALSE(Template::parse(blocks(128)));
}

TEST(TemplateLimits, source_is_accepted_at_the_limit_and_refused_past_it) {
  EXPECT_TRUE(Template::parse(std::string(1 << 20, 'x')));
  const auto longer = Template::parse(std::string((1 << 20) + 1, 'x'));
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().code, Code::too_large);
}

TEST(TemplateLimits, a_range_is_accepted_at_the_limit_and_refused_past_it) {
  EXPECT_EQ(rendered("{{ range(100000)|length }}"), "100000");
  EXPECT_NE(rendered("{{ range(100001)|length }}"), "100001");
}

TEST(TemplateLimits, steps_are_bounded) {
  TemplateLimits limits;
  limits.steps = 1000;
  EXPECT_EQ(rendered("{% for i in range(10) %}{{ i }}{% endfor %}", "{}", limits), "0123456789");
  EXPECT_EQ(rendered("{% for i in range(1000) %}{{ i }}{% endfor %}", "{}", limits),
            "chat template: line 1: more than 1000 steps; shorten the messages or simplify the template");
}

TEST(TemplateLimits, output_is_bounded) {
  TemplateLimits limits;
  limits.output_bytes = 64 << 10;
  EXPECT_EQ(rendered("{{ 'x' * 20000 }}", "{}", limits).size(), 20000u);
  const std::string refused = rendered("{% for i in range(100) %}{{ 'x' * 1000 }}{% endfor %}", "{}", limits);
  EXPECT_NE(refused.find("more than 65536 bytes"), std::string::npos) << refused;
}

TEST(TemplateLimits, long_messages_render) {
  json::Object variables{{"s", std::string(8 << 20, 'x')}};
  const auto form = Template::parse("<|im_start|>{{ s | trim }}<|im_end|>");
  ASSERT_TRUE(form);
  const auto out = form->render(variables, sample_time());
  EXPECT_FALSE(out);  // twice eight MiB and more: the copy that trim makes, and the result
  variables["s"] = std::string(7 << 20, 'x');
  EXPECT_TRUE(form->render(variables, sample_time()));
}

}  // namespace
}  // namespace qn::text
