// Random grammars against a slow matcher that is plainly right, and every mask against trying every token.
#include <map>
#include <random>
#include <set>

#include "grammar_samples.h"

using namespace qn;
using namespace qn::text;
using namespace qn::text::samples;

namespace {

// An expression as a tree; where it matches from, it may end at several places.
struct Tree {
  enum class Kind { literal, letters, sequence, choice, repeat, named } kind;
  std::string text;
  std::vector<int> parts;
  int min = 0, max = 0;  // -1: without end
};

struct Random {
  std::mt19937_64 engine;
  int below(int end) { return static_cast<int>(engine() % static_cast<std::uint64_t>(end)); }
};

struct Forest {
  std::vector<Tree> trees;
  std::vector<int> named;  // the definitions of the names 0, 1, 2; a name's use is a Tree of Kind::named with `min` its number

  int add(Tree tree) {
    trees.push_back(std::move(tree));
    return static_cast<int>(trees.size()) - 1;
  }

  int grow(Random& r, int depth) {
    const int kind = depth <= 0 ? r.below(2) : r.below(8);
    if (kind == 0 || kind == 7) {
      std::string text;
      for (int i = r.below(3); i >= 0; --i) text += static_cast<char>('a' + r.below(3));
      return add({Tree::Kind::literal, r.below(12) == 0 ? "" : text, {}, 0, 0});
    }
    if (kind == 1) return add({Tree::Kind::letters, std::string("abc").substr(static_cast<std::size_t>(r.below(3))), {}, 0, 0});
    if (kind == 2 || kind == 3) {
      std::vector<int> parts;
      for (int i = r.below(3); i >= 0; --i)
        parts.push_back(!trees.empty() && r.below(5) == 0 ? r.below(static_cast<int>(trees.size())) : grow(r, depth - 1));
      return add({kind == 2 ? Tree::Kind::sequence : Tree::Kind::choice, "", std::move(parts), 0, 0});
    }
    if (kind == 6) return add({Tree::Kind::named, "", {}, r.below(3), 0});
    const int body = grow(r, depth - 1), min = r.below(6) == 0 ? 20 + r.below(4) : r.below(4), extra = r.below(4);
    return add({Tree::Kind::repeat, "", {body}, min, extra == 3 ? -1 : min + extra + (r.below(6) == 0 ? 20 : 0)});
  }
};

// Ends of tree `id` from each place of the text, as the least fixed point over names.
class Slow {
 public:
  Slow(const Forest& forest, std::string_view text) : forest_(forest), text_(text), ends_(forest.named.size(), Ends(text.size() + 1)) {
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t name = 0; name < ends_.size(); ++name) {
        for (std::size_t at = 0; at <= text.size(); ++at) {
          const std::set<std::size_t> found = ends(forest.named[name], at);
          if (found.size() > ends_[name][at].size()) ends_[name][at] = found, changed = true;
        }
      }
    }
  }

  std::set<std::size_t> ends(int id, std::size_t at) const {
    const Tree& tree = forest_.trees[static_cast<std::size_t>(id)];
    switch (tree.kind) {
      case Tree::Kind::literal: return text_.substr(at).starts_with(tree.text) ? std::set{at + tree.text.size()} : std::set<std::size_t>{};
      case Tree::Kind::letters:
        return at < text_.size() && tree.text.find(text_[at]) != std::string::npos ? std::set{at + 1} : std::set<std::size_t>{};
      case Tree::Kind::named: return ends_[static_cast<std::size_t>(tree.min)][at];
      case Tree::Kind::choice: {
        std::set<std::size_t> out;
        for (const int part : tree.parts) out.merge(ends(part, at));
        return out;
      }
      case Tree::Kind::sequence: {
        std::set<std::size_t> from{at};
        for (const int part : tree.parts) from = after(from, part);
        return from;
      }
      case Tree::Kind::repeat: {
        std::set<std::size_t> from{at}, out;
        const int most = tree.max < 0 ? tree.min + static_cast<int>(text_.size()) + 1 : tree.max;
        for (int turn = 0; turn <= most && !from.empty(); ++turn) {
          if (turn >= tree.min) out.insert(from.begin(), from.end());
          from = after(from, tree.parts[0]);
        }
        return out;
      }
    }
    return {};
  }

 private:
  using Ends = std::vector<std::set<std::size_t>>;
  std::set<std::size_t> after(const std::set<std::size_t>& from, int id) const {
    std::set<std::size_t> out;
    for (const std::size_t at : from) out.merge(ends(id, at));
    return out;
  }

  const Forest& forest_;
  std::string_view text_;
  std::vector<Ends> ends_;
};

struct Made {
  Forest forest;
  int root = 0;
  SharedGrammar grammar;  // none: refused, which only left recursion and emptiness may be
  std::string refusal;
};

Made random_grammar(std::uint64_t seed) {
  Random r{std::mt19937_64(seed)};
  Made made;
  for (int name = 0; name < 3; ++name) made.forest.named.push_back(made.forest.grow(r, 3));
  made.root = made.forest.grow(r, 3);
  GrammarBuilder builder;
  std::vector<RuleId> names, rules;
  for (int name = 0; name < 3; ++name) names.push_back(builder.declare("n" + std::to_string(name)));
  for (const Tree& tree : made.forest.trees) {
    std::vector<RuleId> parts;
    for (const int part : tree.parts) parts.push_back(rules[static_cast<std::size_t>(part)]);
    std::vector<CharRange> letters;
    for (const char c : tree.text) letters.push_back({static_cast<char32_t>(c), static_cast<char32_t>(c)});
    switch (tree.kind) {
      case Tree::Kind::literal: rules.push_back(builder.literal(tree.text)); break;
      case Tree::Kind::letters: rules.push_back(builder.characters(letters)); break;
      case Tree::Kind::sequence: rules.push_back(builder.sequence(parts)); break;
      case Tree::Kind::choice: rules.push_back(builder.choice(parts)); break;
      case Tree::Kind::repeat: rules.push_back(builder.repeat(parts[0], tree.min, tree.max < 0 ? std::optional<int>() : tree.max)); break;
      case Tree::Kind::named: rules.push_back(names[static_cast<std::size_t>(tree.min)]); break;
    }
  }
  for (std::size_t name = 0; name < 3; ++name) builder.define(names[name], rules[static_cast<std::size_t>(made.forest.named[name])]);
  auto grammar = builder.finish(rules[static_cast<std::size_t>(made.root)]);
  if (grammar)
    made.grammar = *grammar;
  else
    made.refusal = grammar.error().message;
  return made;
}

TEST(GrammarReference, random_grammars_match_what_a_slow_matcher_matches) {
  int compared = 0, whole = 0, refused = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Made made = random_grammar(seed);
    if (!made.grammar) {
      ASSERT_TRUE(made.refusal.find("begins with itself") != std::string::npos || made.refusal.find("no text matches") != std::string::npos)
          << seed << ": " << made.refusal;
      ++refused;
      continue;
    }
    Random r{std::mt19937_64(seed * 7 + 1)};
    for (int i = 0; i < 10; ++i) {
      std::string text;
      grammar::StateTable table(made.grammar->automaton());
      grammar::StateIndex state = table.start();
      for (int length = r.below(i == 0 ? 26 : 14); length > 0; --length) {  // mostly along the grammar
        char letter = static_cast<char>('a' + r.below(3));
        for (int attempt = 0; attempt < 3 && r.below(20) != 0; ++attempt)
          if (table.step(state, static_cast<std::uint8_t>(letter)) == grammar::dead)
            letter = static_cast<char>('a' + (letter - 'a' + 1) % 3);
        state = table.step(state, static_cast<std::uint8_t>(letter));
        text += letter;
      }
      const Slow slow(made.forest, text);
      const bool expected = slow.ends(made.root, 0).contains(text.size());
      ASSERT_EQ(matches(*made.grammar, text), expected) << "seed " << seed << ", text " << text;
      ++compared, whole += expected ? 1 : 0;
    }
  }
  EXPECT_GT(compared, 1'500);
  EXPECT_GT(whole, 200);
  EXPECT_LT(refused, 120);
}

TEST(GrammarReference, every_mask_is_what_trying_every_token_gives) {
  Random words{std::mt19937_64(5)};
  std::vector<std::string> texts;
  for (int i = 0; i < 120; ++i) {
    std::string text;
    for (int k = 2 + words.below(7); k > 0; --k) text += static_cast<char>('a' + words.below(3));
    texts.push_back(text);
  }
  const Tokenizer tokenizer = tokenizer_of(texts);
  int masks = 0;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    const Made made = random_grammar(seed);
    if (!made.grammar) continue;
    const auto vocabulary = TokenVocabulary::make(tokenizer, tokenizer.vocab_size() + 40);
    TokenMatcher matcher(made.grammar, vocabulary);
    Random r{std::mt19937_64(seed)};
    std::string text;
    for (int step = 0; step < 8; ++step, ++masks) {
      const std::vector<TokenId> allowed = set_bits(matcher.allowed());
      ASSERT_EQ(allowed, allowed_by_bytes(*made.grammar, tokenizer, text)) << "seed " << seed << ", text " << text;
      ASSERT_FALSE(allowed.empty()) << "seed " << seed << ", text " << text << ": nothing can follow";
      const TokenId token = allowed[static_cast<std::size_t>(r.below(static_cast<int>(allowed.size())))];
      if (tokenizer.ends_reply(token)) break;
      ASSERT_TRUE(matcher.advance(token));
      text += tokenizer.bytes_of(token);
    }
  }
  EXPECT_GT(masks, 1'000);
}

}  // namespace
