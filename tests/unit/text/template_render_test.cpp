// What the pieces of the language do; tests/oracle/test_templates.py compares the whole with jinja2.
#include <gtest/gtest.h>

#include "unit/text/template_samples.h"

namespace qn::text {
namespace {

TEST(Template, text_is_printed_as_it_stands) {
  EXPECT_EQ(rendered("hello {{ 'world' }}"), "hello world");
}
TEST(Template, one_newline_at_the_end_is_dropped) {
  EXPECT_EQ(rendered("a\n\n"), "a\n");
}
TEST(Template, a_line_end_after_a_block_goes_and_one_after_a_print_stays) {
  EXPECT_EQ(rendered("{% if 1 %}\na{{ 1 }}\n{% endif %}\nb"), "a1\nb");
}
TEST(Template, white_space_before_a_block_on_its_own_line_goes) {
  EXPECT_EQ(rendered("a\n  {% if 1 %}b{% endif %}"), "a\nb");
}
TEST(Template, a_plus_keeps_white_space_and_a_minus_takes_it) {
  EXPECT_EQ(rendered("a\n  {%+ if 1 +%}\nb {%- endif %}"), "a\n  \nb");
}
TEST(Template, raw_text_is_not_read) {
  EXPECT_EQ(rendered("{% raw %}{{ x }}{% endraw %}"), "{{ x }}");
}
TEST(Template, a_comment_is_not_printed) {
  EXPECT_EQ(rendered("a{# {{ x }} #}b"), "ab");
}

TEST(Template, values_print_as_python_prints_them) {
  EXPECT_EQ(rendered("{{ [true, none, 1.0, 1e22, 'a\\'b', (1,), {'k': \"v\"}] }}"), "[True, None, 1.0, 1e+22, \"a'b\", (1,), {'k': 'v'}]");
}
TEST(Template, division_and_modulo_round_down) {
  EXPECT_EQ(rendered("{{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }}"), "-4 2 3.5 1024");
}
TEST(Template, comparisons_chain) {
  EXPECT_EQ(rendered("{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }}"), "True False");
}
TEST(Template, text_is_counted_and_cut_by_characters) {
  EXPECT_EQ(rendered("{{ s|length }} {{ s[1:3] }} {{ s[-1] }} {{ s[::-1] }}", R"({"s":"你好é😀"})"), "4 好é 😀 😀é好你");
}
TEST(Template, a_key_is_reached_by_dot_and_by_brackets) {
  EXPECT_EQ(rendered("{{ m.a }}{{ m['a'] }}{{ m.items }}", R"({"m":{"a":1}})").substr(0, 2), "11");
}
TEST(Template, a_method_wins_over_a_key_after_a_dot) {
  EXPECT_EQ(rendered("{{ m.items() | list }}{{ m['items'] }}", R"({"m":{"items":1}})"), "[('items', 1)]1");
}

TEST(Template, an_undefined_name_prints_nothing) {
  EXPECT_EQ(rendered("[{{ nobody }}]"), "[]");
}
TEST(Template, an_attribute_of_an_undefined_name_is_an_error_that_names_it) {
  EXPECT_EQ(rendered("a\n{{ nobody.home }}"), "chat template: line 2: 'nobody' is undefined; pass it, or test it with 'is defined'");
}

TEST(Template, an_assignment_in_a_loop_does_not_leak) {
  EXPECT_EQ(rendered("{% set a = 1 %}{% for i in [1] %}{% set a = 2 %}{{ a }}{% endfor %}{{ a }}"), "21");
}
TEST(Template, a_namespace_keeps_what_a_loop_assigns) {
  EXPECT_EQ(rendered("{% set n = namespace(a=1) %}{% for i in [5] %}{% set n.a = i %}{% endfor %}{{ n.a }}"), "5");
}
TEST(Template, an_assignment_in_a_branch_reaches_past_it) {
  EXPECT_EQ(rendered("{% if 1 %}{% set a = 2 %}{% endif %}{{ a }}"), "2");
}
TEST(Template, a_macro_sees_what_was_assigned_at_the_top_level) {
  EXPECT_EQ(rendered("{% macro f() %}{{ a }}{% endmacro %}{% set a = 3 %}{{ f() }}"), "3");
}
TEST(Template, a_macro_takes_defaults_names_and_more) {
  EXPECT_EQ(rendered("{% macro f(a, b=2) %}{{ a }}{{ b }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1) }}{{ f(1, 3, 4, c=5) }}"),
            "12(){}13(4,){'c': 5}");
}
TEST(Template, a_call_block_hands_its_body_to_the_macro) {
  EXPECT_EQ(rendered("{% macro f() %}<{{ caller(1) }}>{% endmacro %}{% call(x) f() %}{{ x }}b{% endcall %}"), "<1b>");
}
TEST(Template, a_loop_knows_where_it_is) {
  EXPECT_EQ(rendered("{% for i in 'abc' %}{{ loop.index }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.previtem }}{{ "
                     "loop.nextitem }} {% endfor %}"),
            "12TrueFalseb 21FalseFalseac 30FalseTrueb ");
}
TEST(Template, a_loop_with_a_condition_counts_what_passes) {
  EXPECT_EQ(rendered("{% for i in range(6) if i is odd %}{{ loop.length }}{{ i }} {% endfor %}"), "31 33 35 ");
}
TEST(Template, an_empty_loop_runs_its_else) {
  EXPECT_EQ(rendered("{% for i in [] %}a{% else %}b{% endfor %}"), "b");
}
TEST(Template, break_and_continue_act_on_the_innermost_loop) {
  EXPECT_EQ(
      rendered("{% for i in range(9) %}{% if i == 1 %}{% continue %}{% endif %}{% if i == 4 %}{% break %}{% endif %}{{ i }}{% endfor %}"),
      "023");
}
TEST(Template, a_recursive_loop_calls_itself) {
  EXPECT_EQ(rendered("{% for i in [1, [2, [3]]] recursive %}{% if i is number %}{{ i }}{% else %}({{ loop(i) }}){% endif %}{% endfor %}"),
            "1(2(3))");
}
TEST(Template, a_selection_runs_once) {
  EXPECT_EQ(rendered("{% set o = [1, 3]|select('odd') %}{{ o|list }}{{ o|list }}"), "[1, 3][]");
}
TEST(Template, a_generation_block_prints_its_body) {
  EXPECT_EQ(rendered("{% generation %}{{ 1 }}{% endgeneration %}"), "1");
}

TEST(Template, tojson_prints_as_json_dumps_does) {
  EXPECT_EQ(rendered("{{ x | tojson }}", R"({"x":{"a":[1,2.0,null,true],"é":"<b>\n\""}})"),
            R"({"a": [1, 2.0, null, true], "é": "<b>\n\""})");
  EXPECT_EQ(rendered("{{ {'b': 1, 'a': [1]} | tojson(indent=2, sort_keys=true) }}"), "{\n  \"a\": [\n    1\n  ],\n  \"b\": 1\n}");
}
TEST(Template, large_unsigned_integers_of_json_stay_exact) {
  EXPECT_EQ(rendered("{{ x }} {{ x + 1 }}", R"({"x":18446744073709551615})"), "18446744073709551615 18446744073709551616");
}
TEST(Template, strftime_now_formats_the_time_it_is_given) {
  EXPECT_EQ(rendered("{{ strftime_now('%d %b %Y, %A %H:%M:%S %j %U %V %-d %p') }}"), "03 Mar 2024, Sunday 09:05:07 063 09 09 3 AM");
}
TEST(Template, raise_exception_hands_its_text_to_the_caller) {
  const auto form = Template::parse("\n{{ raise_exception('roles must alternate') }}");
  ASSERT_TRUE(form);
  const auto out = form->render({}, sample_time());
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, Code::bad_input);
  EXPECT_EQ(out.error().message, "chat template: line 2: roles must alternate");
}

TEST(Template, what_would_change_a_value_is_refused) {
  EXPECT_NE(rendered("{{ [1].append(2) }}").find("is not safe"), std::string::npos);
  EXPECT_NE(rendered("{{ {}.update({}) }}").find("is not safe"), std::string::npos);
  EXPECT_NE(rendered("{{ ''.__class__.__mro__ }}").find("is not safe"), std::string::npos);
}
TEST(Template, escaped_text_escapes_what_is_added_to_it) {
  EXPECT_EQ(rendered("{{ ('<' | e) + '>' }}{{ ('<' | e) ~ '>' }}"), "&lt;&gt;&lt;>");
}

TEST(Template, a_character_of_escaped_text_is_escaped_text) {
  EXPECT_EQ(rendered("{{ [('ab' | e)[0]] }}"), "[Markup('a')]");
}
TEST(Template, a_slice_of_a_range_is_a_range) {
  EXPECT_EQ(rendered("{{ range(1, 6, 2)[100:2] }}"), "range(7, 5, 2)");
}
TEST(Template, a_filter_block_must_give_text) {
  EXPECT_EQ(rendered("{% filter length %}a{% endfilter %}"), "chat template: line 1: a call or filter block gave int; it must give text");
}
TEST(Template, a_block_is_defined_once) {
  EXPECT_FALSE(Template::parse("{% block a %}{% endblock %}{% block a %}{% endblock %}"));
}
TEST(Template, a_private_name_of_something_undefined_is_undefined) {
  EXPECT_EQ(rendered("[{{ nobody.__len__ }}]"), "[]");
}

TEST(Template, tags_that_need_other_templates_are_refused_with_a_reason) {
  EXPECT_EQ(rendered("{% include 'x' %}"),
            "chat template: line 1: {% include %} is not offered to chat templates; write its content in place");
}
TEST(Template, an_open_block_is_named_by_its_missing_end) {
  EXPECT_EQ(rendered("{% if x %}\na"),
            "chat template: line 2: the template ends where {% elif %} or {% else %} or {% endif %} is expected; add it");
}
TEST(Template, an_unknown_filter_is_an_error_before_anything_runs) {
  EXPECT_FALSE(Template::parse("{{ x | nonsense }}"));
}
TEST(Template, an_unknown_filter_in_a_branch_is_an_error_only_when_reached) {
  EXPECT_EQ(rendered("{% if no %}{{ x | nonsense }}{% endif %}ok"), "ok");
}
TEST(Template, a_jump_outside_of_a_loop_is_refused) {
  EXPECT_FALSE(Template::parse("{% break %}"));
}
TEST(Template, source_that_is_not_utf8_is_refused) {
  EXPECT_FALSE(Template::parse("\xff"));
}

TEST(Template, mentions_finds_names_attributes_and_literals) {
  const auto form = Template::parse("{{ tools }}{{ m.reasoning_content }}{{ m['tool_calls'] }}{# enable_thinking #} documents");
  ASSERT_TRUE(form);
  EXPECT_TRUE(form->mentions("tools"));
  EXPECT_TRUE(form->mentions("reasoning_content"));
  EXPECT_TRUE(form->mentions("tool_calls"));
  EXPECT_FALSE(form->mentions("enable_thinking"));
  EXPECT_FALSE(form->mentions("documents"));
}

}  // namespace
}  // namespace qn::text
