#include "text/grammar/regex.h"

#include <algorithm>

#include "text/grammar/builder_parts.h"

namespace qn::text {
namespace grammar {
namespace {

using Id = std::uint32_t;
using NodeKind = RegexNode::Kind;

class Writer {
 public:
  Writer(GrammarBuilder& builder, Regex& regex, const WriteCharacters& characters, const std::string& where)
      : builder_(builder), regex_(regex), characters_(characters), where_(where) {}

  Result<RuleId> write(Find find) {
    find_anchors();
    QN_TRY(RuleId made, alternative(flattened({regex_.root}), find, 0));
    return made;
  }

 private:
  // anchored_[id]: ^ or $ is in there. Parts are older than what contains them.
  void find_anchors() {
    anchored_.assign(regex_.nodes.size(), false);
    for (Id id = 0; id < regex_.nodes.size(); ++id) {
      const RegexNode& node = regex_.nodes[id];
      anchored_[id] = node.kind == NodeKind::begin || node.kind == NodeKind::end ||
                      std::any_of(node.parts.begin(), node.parts.end(), [&](Id part) { return anchored_[part]; });
    }
  }

  // Sequences within a sequence, where they hold an anchor, become part of it.
  std::vector<Id> flattened(std::vector<Id> sequence) const {
    std::vector<Id> out;
    std::vector<Id> todo(sequence.rbegin(), sequence.rend());
    while (!todo.empty()) {
      const Id id = todo.back();
      todo.pop_back();
      const RegexNode& node = regex_.nodes[id];
      if (node.kind == NodeKind::sequence && anchored_[id])
        todo.insert(todo.end(), node.parts.rbegin(), node.parts.rend());
      else
        out.push_back(id);
    }
    return out;
  }

  // One way through the expression from its beginning to its end, as a sequence. A choice that holds an anchor at one of its ends becomes a
  // choice of ways.
  Result<RuleId> alternative(std::vector<Id> way, Find find, int depth) {
    if (depth > 256 || ++ways_ > 4096)
      return tl::unexpected<Error>(Error{Code::too_large, where_ + ": too many ways past ^ and $; anchor the whole expression"});
    for (const bool back : {false, true}) {
      if (way.empty()) break;
      // Behind the anchors that stand there already.
      std::size_t at = back ? way.size() - 1 : 0;
      const NodeKind anchor = back ? NodeKind::end : NodeKind::begin;
      while (regex_.nodes[way[at]].kind == anchor && (back ? at > 0 : at + 1 < way.size())) back ? --at : ++at;
      const RegexNode node = regex_.nodes[way[at]];
      if (node.kind != NodeKind::choice || !anchored_[way[at]]) continue;
      std::vector<RuleId> ways;
      for (const Id part : node.parts) {
        std::vector<Id> one = way;
        one[at] = part;
        QN_TRY(const RuleId made, alternative(flattened(one), find, depth + 1));
        ways.push_back(made);
      }
      return builder_.choice(ways);
    }
    bool begins = find == Find::whole, ends = find == Find::whole;
    while (!way.empty() && regex_.nodes[way.front()].kind == NodeKind::begin) way.erase(way.begin()), begins = true;
    while (!way.empty() && regex_.nodes[way.back()].kind == NodeKind::end) way.pop_back(), ends = true;
    std::vector<RuleId> parts;
    if (!begins) parts.push_back(anything());
    for (const Id id : way) {
      if (anchored_[id])
        return tl::unexpected<Error>(
            Error{Code::unsupported, where_ + ": ^ or $ stands inside the regular expression; keep ^ at its beginning and $ at its end"});
      parts.push_back(part(id));
    }
    if (!ends) parts.push_back(anything());
    return builder_.sequence(parts);
  }

  RuleId anything() {
    static constexpr CharRange all[] = {{0, 0x10FFFF}};
    return builder_.repeat(characters_(all), 0);
  }

  // The parser's depth bounds this one's.
  RuleId part(Id id) {
    const RegexNode& node = regex_.nodes[id];
    if (node.kind == NodeKind::characters) return characters_(node.ranges);
    std::vector<RuleId> parts;
    parts.reserve(node.parts.size());
    for (const Id inner : node.parts) parts.push_back(part(inner));
    switch (node.kind) {
      case NodeKind::choice: return builder_.choice(parts);
      case NodeKind::repeat: return builder_.repeat(parts[0], node.min, node.max < 0 ? std::optional<int>() : std::optional<int>(node.max));
      default: return builder_.sequence(parts);
    }
  }

  GrammarBuilder& builder_;
  Regex& regex_;
  const WriteCharacters& characters_;
  const std::string& where_;
  std::vector<bool> anchored_;
  int ways_ = 0;
};

}  // namespace

Result<RuleId> write_regex(GrammarBuilder& builder, Regex& regex, Find find, const WriteCharacters& characters, const std::string& where) {
  return Writer(builder, regex, characters, where).write(find);
}

}  // namespace grammar

Result<RuleId> GrammarBuilder::regex(std::string_view pattern, std::string_view where) {
  const std::string place(where);
  QN_TRY(grammar::Regex tree, grammar::parse_regex(pattern, place, parts_->limits));
  const auto utf8 = [this](std::span<const CharRange> ranges) { return characters(ranges); };
  QN_TRY(const RuleId made, grammar::write_regex(*this, tree, grammar::Find::whole, utf8, place));
  if (parts_->fault) return tl::unexpected<Error>(*parts_->fault);
  return made;
}

}  // namespace qn::text
