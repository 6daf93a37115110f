// GBNF and regular expressions: what their forms accept, and what is refused with its place.
#include "grammar_samples.h"

using namespace qn;
using namespace qn::text;
using namespace qn::text::samples;

namespace {

using Texts = std::vector<std::string_view>;

void check(const Result<SharedGrammar>& made, std::string_view source, const Texts& good, const Texts& bad) {
  const SharedGrammar grammar = must(made);
  for (const std::string_view text : good) EXPECT_TRUE(matches(*grammar, text)) << source << " should accept " << text;
  for (const std::string_view text : bad) EXPECT_FALSE(matches(*grammar, text)) << source << " should not accept " << text;
}

void gbnf(std::string_view source, const Texts& good, const Texts& bad) {
  check(from_gbnf(source), source, good, bad);
}
void regex(std::string_view source, const Texts& good, const Texts& bad) {
  check(from_regex(source), source, good, bad);
}

void refused(const Result<SharedGrammar>& made, Code code, std::string_view part_of_message) {
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, code) << made.error().message;
  EXPECT_NE(made.error().message.find(part_of_message), std::string::npos) << made.error().message;
}

TEST(GrammarGbnf, its_forms) {
  gbnf("root ::= \"yes\" | \"no\"", {"yes", "no"}, {"", "yesno"});
  gbnf("# a comment\nroot ::= a b # another\n\na ::= [a-c0] \n b ::= [^a-c\\n]\n", {"0x", "aé"}, {"aa", "x0", "a\n"});
  gbnf("root ::= \"a\"* \"b\"+ \"c\"?", {"b", "aabbc"}, {"", "a", "bcc"});
  gbnf("root ::= \"a\"{2} \"b\"{1,} \"c\"{0,2} \"d\"{,1}", {"aab", "aabbccd"}, {"ab", "aa", "aabccc"});
  gbnf("root ::= (\"a\" | \"b\" \"c\")+", {"a", "bcabc"}, {"", "b"});
  gbnf("root ::= (\n  \"a\" |\n  \"b\"\n)\n", {"a", "b"}, {"ab"});
  gbnf("root ::= \"a\" |\n \"b\"", {"a", "b"}, {"ab"});
  gbnf("root ::= .", {"a", "é", "😀", "\n"}, {"", "ab", "\xC3"});
  gbnf("root ::= \"\\x41\\u00e9\\U0001F600\\\"\\\\\\n\"", {"Aé😀\"\\\n"}, {"A"});
  gbnf("root ::= [\\x41-\\x43\\u4e00-\\u9fff\\]-]+", {"AB中]-"}, {"D", "a"});
  gbnf("root ::= my-rule_2\nmy-rule_2 ::= \"x\"", {"x"}, {""});
  gbnf("root ::= \"\" | \"a\" root", {"", "aaa"}, {"b"});
}

TEST(GrammarGbnf, recursion_to_the_left_and_to_the_right) {
  gbnf("root ::= root \"+\" n | n\nn ::= [0-9]", {"1", "1+2", "1+2+3"}, {"", "+1", "1+", "1++2"});
  gbnf("root ::= n \"+\" root | n\nn ::= [0-9]", {"1", "1+2", "1+2+3"}, {"", "+1", "1+"});
  gbnf("root ::= \"(\" root? \")\"", {"()", "((()))"}, {"", "(()", "())"});
  gbnf("root ::= root root | \"a\"", {"a", "aa", "aaaaaaaa"}, {"", "b"});
  gbnf("root ::= e\ne ::= e \"*\" e | e \"+\" e | \"(\" e \")\" | [a-z]", {"a", "a*b+c", "(a+b)*c"}, {"a*", "()"});
  refused(from_gbnf("root ::= a\na ::= b \"x\"\nb ::= a \"y\" | \"z\""), Code::bad_input, "begins with itself by way of rule");
}

TEST(GrammarGbnf, mistakes_are_refused_with_their_line) {
  refused(from_gbnf("root ::= \"a\"\nx"), Code::bad_input, "grammar: line 2: expected ::= behind 'x', found the end");
  refused(from_gbnf("x ::= \"a\""), Code::bad_input, "no rule root");
  refused(from_gbnf("root ::= x"), Code::bad_input, "rule 'x' is used in line 1 but not defined");
  refused(from_gbnf("root ::= \"a"), Code::bad_input, "not closed");
  refused(from_gbnf("root ::= [a-"), Code::bad_input, "not closed");
  refused(from_gbnf("root ::= (\"a\""), Code::bad_input, "expected )");
  refused(from_gbnf("root ::= *"), Code::bad_input, "nothing to repeat");
  refused(from_gbnf("root ::= \"\\q\""), Code::bad_input, "is no escape");
  refused(from_gbnf("root ::= \"a\"\nroot ::= \"b\""), Code::bad_input, "defined twice");
  refused(from_gbnf("root ::= <[5]>"), Code::unsupported, "reference to a token");
  refused(from_gbnf("root ::= [z-a]"), Code::bad_input, "end comes before its beginning");
  refused(from_gbnf("root ::= \"a\"{3,2}"), Code::bad_input, "nothing is both");
  refused(from_gbnf("root ::= \"a\" root"), Code::bad_input, "no text matches");
  refused(from_gbnf(""), Code::bad_input, "no rule root");
}

TEST(GrammarRegex, its_forms) {
  regex("a|bc|", {"", "a", "bc"}, {"b", "abc"});
  regex("^a+?b*?c??$", {"a", "aabbc"}, {"", "b"});
  regex("(?:ab){2}(?<n>c)(?P<m>d)", {"ababcd"}, {"abcd"});
  regex("[a-c-]+[\\]\\d]", {"a-5", "b]"}, {"5", "d5"});
  regex("\\d\\D\\w\\W\\s\\S", {"1a_. x", "1é_é x"}, {"aa_. x"});
  regex("[^\\d\\s]", {"a", "é"}, {"1", " ", "ab"});
  regex(".", {"a", "😀"}, {"\n", "\u2028", ""});
  regex("\\x41\\u0042\\u{1F600}\\uD83D\\uDE01\\t\\/", {"AB😀😁\t/"}, {"AB"});
  regex("\\p{Lu}\\p{L}*\\P{L}[^\\p{Nd}]", {"Éa1x", "Ä! "}, {"éa1x", "Aa12"});
  regex("a{2}{", {"aa{"}, {"aa"});
  regex("\\Aab\\z", {"ab"}, {"abc"});
  regex("(^a|b)c", {"ac", "bc"}, {"c"});
}

TEST(GrammarRegex, what_is_not_regular_or_not_known_is_refused_with_its_offset) {
  refused(from_regex("ab(?=c)"), Code::unsupported, "regex: at byte 5 of the regular expression: looking ahead");
  refused(from_regex("(?<!a)b"), Code::unsupported, "looking behind");
  refused(from_regex("(a)\\1"), Code::unsupported, "a reference to a group");
  refused(from_regex("\\bword"), Code::unsupported, "a word boundary");
  refused(from_regex("(?i)a"), Code::unsupported, "a flag");
  refused(from_regex("a++"), Code::unsupported, "possessive");
  refused(from_regex("a**"), Code::unsupported, "a quantifier behind a quantifier");
  refused(from_regex("a$b"), Code::unsupported, "^ or $ stands inside");
  refused(from_regex("[]a]"), Code::bad_input, "an empty class");
  refused(from_regex("*a"), Code::bad_input, "nothing to repeat");
  refused(from_regex("(a"), Code::bad_input, "is not closed");
  refused(from_regex("a)"), Code::bad_input, "no ( opens");
  refused(from_regex("[a"), Code::bad_input, "is not closed");
  refused(from_regex("\\q"), Code::bad_input, "is no escape");
  refused(from_regex("\\p{Klingon}"), Code::unsupported, "the property 'Klingon'");
  refused(from_regex("\\uD800"), Code::bad_input, "half a surrogate pair");
  refused(from_regex("[b-a]"), Code::bad_input, "end comes before");
  refused(from_regex("\xFF"), Code::bad_input, "not UTF-8");
}

}  // namespace
