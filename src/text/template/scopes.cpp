#include "text/template/scopes.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/check.h"
#include "text/template/filters.h"
#include "text/template/tree_walk.h"

namespace qn::text::jinja {
namespace {

struct Symbols {
  Symbols* parent;
  ScopeTable* table;
  std::unordered_map<std::uint32_t, std::uint32_t> slots = {};  // of the names that live here
};

struct Place {
  std::uint16_t hops;
  std::uint32_t slot;
};

class Resolver {
 public:
  Resolver(Parsed& parsed, const TemplateLimits& limits) : names_(parsed.names), budget_(limits) {
    for (std::uint32_t i = 0; i < names_.size(); ++i) {
      if (names_[i] == "loop") loop_name_ = i;
      if (names_[i] == "caller") caller_name_ = i;
      if (names_[i] == "kwargs") kwargs_name_ = i;
      if (names_[i] == "varargs") varargs_name_ = i;
    }
  }

  Status run(Body& body, ScopeTable& table) {
    Symbols root{nullptr, &table};
    survey(body, root);
    return bind(body, root, Position{.top_level = true});
  }

 private:
  static constexpr std::uint32_t no_name = ~std::uint32_t{0};

  // Where in the template a statement stands, beside its scope.
  struct Position {
    bool top_level = false;  // assignments are exported
    bool soft = false;       // under an if: an unknown filter is an error only when it is reached
    bool in_loop = false;    // break and continue have a loop to act on
    int for_depth = 0;       // loops around, also across macros
  };

  // --- survey: which names live in a scope. Statements in order, without what has a scope of its own. ---

  std::uint32_t define(Symbols& scope, std::uint32_t name, Load load, Place outer = {}) {
    const auto slot = static_cast<std::uint32_t>(scope.table->variables.size());
    scope.table->variables.push_back({name, load, outer.hops, outer.slot});
    scope.slots[name] = slot;
    return slot;
  }

  static bool find(Symbols* scope, std::uint32_t name, Place& out) {
    std::uint16_t hops = 0;
    for (; scope != nullptr; scope = scope->parent, ++hops)
      if (const auto found = scope->slots.find(name); found != scope->slots.end()) {
        out = {hops, found->second};
        return true;
      }
    return false;
  }

  void parameter(Symbols& scope, std::uint32_t name) {
    if (const auto found = scope.slots.find(name); found != scope.slots.end()) {
      scope.table->variables[found->second].load = Load::parameter;
      return;
    }
    define(scope, name, Load::parameter);
  }

  void load(Symbols& scope, std::uint32_t name) {
    Place place;
    if (!find(&scope, name, place)) define(scope, name, Load::resolve);
  }

  void store(Symbols& scope, std::uint32_t name) {
    if (scope.slots.contains(name)) return;
    Place outer;
    if (find(scope.parent, name, outer)) {
      define(scope, name, Load::alias, outer);
    } else {
      // Assigned in one branch only, the variable of the render shows through in the others.
      define(scope, name, branches_ > 0 ? Load::resolve : Load::missing);
    }
  }

  void store(Symbols& scope, const Target& target) {
    switch (target.kind) {
      case Target::Kind::name: return store(scope, target.name);
      case Target::Kind::attribute: return load(scope, target.name);
      case Target::Kind::tuple:
        for (const Target& item : target.items) store(scope, item);
    }
  }

  void declare(Symbols& scope, const Target& target) {
    if (target.kind == Target::Kind::tuple) {
      for (const Target& item : target.items) declare(scope, item);
    } else {
      parameter(scope, target.name);
    }
  }

  void loads(Symbols& scope, Expr* node) {
    if (node == nullptr) return;
    if (node->kind == ExprKind::name) return load(scope, static_cast<Name&>(*node).name);
    for_each_child(*node, [&](Expr& child) { loads(scope, &child); });
  }

  void survey(Body& body, Symbols& scope) {
    for (const auto& statement : body) survey(*statement, scope);
  }

  void survey(Statement& statement, Symbols& scope) {
    switch (statement.kind) {
      case StatementKind::output:
        for (Output::Piece& piece : static_cast<Output&>(statement).pieces) loads(scope, piece.expression.get());
        return;
      case StatementKind::if_: {
        auto& node = static_cast<If&>(statement);
        loads(scope, node.branches.front().test.get());
        ++branches_;
        for (If::Branch& branch : node.branches) {
          if (&branch != &node.branches.front()) loads(scope, branch.test.get());
          survey(branch.body, scope);
        }
        --branches_;
        return;
      }
      case StatementKind::for_: return loads(scope, static_cast<For&>(statement).iterable.get());
      case StatementKind::assign: {
        auto& node = static_cast<Assign&>(statement);
        loads(scope, node.value.get());
        return store(scope, node.target);
      }
      case StatementKind::assign_block: return store(scope, static_cast<AssignBlock&>(statement).target);
      case StatementKind::macro: return store(scope, static_cast<MacroStatement&>(statement).target);
      case StatementKind::call_block: return loads(scope, static_cast<CallBlock&>(statement).call.get());
      case StatementKind::filter_block: return loads(scope, static_cast<FilterBlock&>(statement).filter.get());
      case StatementKind::with:
        for (ExprPtr& value : static_cast<With&>(statement).values) loads(scope, value.get());
        return;
      case StatementKind::scope:
      case StatementKind::break_:
      case StatementKind::continue_: return;
    }
  }

  // The branches around an inner scope say nothing about the names inside it.
  template <class F>
  void fresh_survey(F&& f) {
    const int outer = std::exchange(branches_, 0);
    f();
    branches_ = outer;
  }

  // --- names used anywhere below, other scopes included: do they come before an assignment? ---

  struct Uses {
    std::unordered_set<std::uint32_t> wanted, found;
    void load(std::uint32_t name) {
      if (wanted.contains(name)) found.insert(name);
    }
    void store(std::uint32_t name) { wanted.erase(name); }
    void store(const Target& target) {
      if (target.kind == Target::Kind::tuple) {
        for (const Target& item : target.items) store(item);
      } else if (target.kind == Target::Kind::name) {
        store(target.name);
      }
    }
  };

  void uses(Uses& out, Expr* node) {
    if (node == nullptr) return;
    if (node->kind == ExprKind::name) return out.load(static_cast<Name&>(*node).name);
    for_each_child(*node, [&](Expr& child) { uses(out, &child); });
  }

  void uses(Uses& out, MacroBody& macro) {
    for (MacroBody::Parameter& parameter : macro.parameters) out.store(parameter.name);
    for (MacroBody::Parameter& parameter : macro.parameters) uses(out, parameter.fallback.get());
    uses(out, macro.body);
  }

  void uses(Uses& out, Body& body) {
    for (const auto& statement : body) {
      switch (statement->kind) {
        case StatementKind::output:
          for (Output::Piece& piece : static_cast<Output&>(*statement).pieces) uses(out, piece.expression.get());
          break;
        case StatementKind::if_:
          for (If::Branch& branch : static_cast<If&>(*statement).branches) uses(out, branch.test.get()), uses(out, branch.body);
          break;
        case StatementKind::for_: {
          auto& node = static_cast<For&>(*statement);
          out.store(node.target);
          uses(out, node.iterable.get()), uses(out, node.body), uses(out, node.otherwise), uses(out, node.test.get());
          break;
        }
        case StatementKind::assign:
          out.store(static_cast<Assign&>(*statement).target);
          uses(out, static_cast<Assign&>(*statement).value.get());
          break;
        case StatementKind::assign_block: {
          auto& node = static_cast<AssignBlock&>(*statement);
          out.store(node.target), uses(out, node.filter.get()), uses(out, node.body);
          break;
        }
        case StatementKind::macro: uses(out, static_cast<MacroStatement&>(*statement).macro); break;
        case StatementKind::call_block: {
          auto& node = static_cast<CallBlock&>(*statement);
          uses(out, node.call.get()), uses(out, node.caller);
          break;
        }
        case StatementKind::filter_block: {
          auto& node = static_cast<FilterBlock&>(*statement);
          uses(out, node.body), uses(out, node.filter.get());
          break;
        }
        case StatementKind::with: {
          auto& node = static_cast<With&>(*statement);
          for (const Target& target : node.targets) out.store(target);
          for (ExprPtr& value : node.values) uses(out, value.get());
          uses(out, node.body);
          break;
        }
        case StatementKind::scope:
        case StatementKind::break_:
        case StatementKind::continue_: break;
      }
    }
  }

  // --- bind: every name to its place, scope by scope from the outside ---

  Status bind(Expr* node, Symbols& scope, bool soft) {
    if (node == nullptr) return {};
    QN_OK(budget_.work(1));
    switch (node->kind) {
      case ExprKind::name: {
        auto& name = static_cast<Name&>(*node);
        Place place{};
        QN_CHECK(find(&scope, name.name, place), "the survey of a scope meets every name in it");
        name.hops = place.hops;
        name.slot = place.slot;
        return {};
      }
      case ExprKind::filter: {
        auto& filter = static_cast<FilterExpr&>(*node);
        if (filter.filter == nullptr && !soft)
          return fail(Code::bad_input, "line {}: no filter named {}; see docs/templates.md for those there are", node->line,
                      quoted(names_[filter.name]));
        break;
      }
      case ExprKind::test: {
        auto& test = static_cast<TestExpr&>(*node);
        if (test.test == nullptr && !soft)
          return fail(Code::bad_input, "line {}: no test named {}; see docs/templates.md for those there are", node->line,
                      quoted(names_[test.name]));
        break;
      }
      case ExprKind::conditional: soft = true; break;
      default: break;
    }
    Status status;
    for_each_child(*node, [&](Expr& child) {
      if (status) status = bind(&child, scope, soft);
    });
    return status;
  }

  Status bind(Target& target, Symbols& scope, const Position& at) {
    if (target.kind == Target::Kind::tuple) {
      for (Target& item : target.items) QN_OK(bind(item, scope, at));
      return {};
    }
    if (target.kind == Target::Kind::name && target.name == loop_name_ && at.for_depth > 0)
      return fail(Code::bad_input, "line {}: cannot assign to 'loop' inside a loop; use another name", target.line);
    Place place{};
    QN_CHECK(find(&scope, target.name, place), "the survey of a scope meets every target in it");
    target.hops = place.hops;
    target.slot = place.slot;
    return {};
  }

  Status bind(Body& body, Symbols& scope, const Position& at) {
    for (const auto& statement : body) QN_OK(bind(*statement, scope, at));
    return {};
  }

  Status bind(Statement& statement, Symbols& scope, const Position& at) {
    QN_OK(budget_.work(1));
    switch (statement.kind) {
      case StatementKind::output:
        for (Output::Piece& piece : static_cast<Output&>(statement).pieces) QN_OK(bind(piece.expression.get(), scope, at.soft));
        return {};
      case StatementKind::if_: {
        Position inside = at;
        inside.soft = true;
        for (If::Branch& branch : static_cast<If&>(statement).branches) {
          QN_OK(bind(branch.test.get(), scope, true));
          QN_OK(bind(branch.body, scope, inside));
        }
        return {};
      }
      case StatementKind::for_: return bind_for(static_cast<For&>(statement), scope, at);
      case StatementKind::assign: {
        auto& node = static_cast<Assign&>(statement);
        node.exported = at.top_level;
        QN_OK(bind(node.value.get(), scope, at.soft));
        return bind(node.target, scope, at);
      }
      case StatementKind::assign_block: {
        auto& node = static_cast<AssignBlock&>(statement);
        node.exported = at.top_level;
        Symbols inner{&scope, &node.scope};
        fresh_survey([&] { survey(node.body, inner), loads(inner, node.filter.get()); });
        QN_OK(bind(node.body, inner, inside(at)));
        QN_OK(bind(node.filter.get(), inner, false));
        return bind(node.target, scope, at);
      }
      case StatementKind::macro: {
        auto& node = static_cast<MacroStatement&>(statement);
        node.exported = at.top_level;
        QN_OK(bind_macro(node.macro, scope, at));
        Position anywhere = at;
        anywhere.for_depth = 0;  // only assignments to `loop` are refused, not a macro of that name
        return bind(node.target, scope, anywhere);
      }
      case StatementKind::call_block: {
        auto& node = static_cast<CallBlock&>(statement);
        QN_OK(bind_macro(node.caller, scope, at));
        return bind(node.call.get(), scope, at.soft);
      }
      case StatementKind::filter_block: {
        auto& node = static_cast<FilterBlock&>(statement);
        Symbols inner{&scope, &node.scope};
        fresh_survey([&] { survey(node.body, inner), loads(inner, node.filter.get()); });
        QN_OK(bind(node.body, inner, inside(at)));
        return bind(node.filter.get(), inner, false);
      }
      case StatementKind::with: {
        auto& node = static_cast<With&>(statement);
        for (ExprPtr& value : node.values) QN_OK(bind(value.get(), scope, at.soft));
        Symbols inner{&scope, &node.scope};
        for (const Target& target : node.targets) declare(inner, target);
        fresh_survey([&] { survey(node.body, inner); });
        Position anywhere = at;
        anywhere.for_depth = 0;
        for (Target& target : node.targets) QN_OK(bind(target, inner, anywhere));
        return bind(node.body, inner, inside(at));
      }
      case StatementKind::scope: {
        auto& node = static_cast<ScopeStatement&>(statement);
        Symbols inner{node.isolated ? nullptr : &scope, &node.scope};
        fresh_survey([&] { survey(node.body, inner); });
        Position own = inside(at);
        own.in_loop = false;
        return bind(node.body, inner, own);
      }
      case StatementKind::break_:
      case StatementKind::continue_:
        if (!at.in_loop)
          return fail(Code::bad_input, "line {}: {{% {} %}} outside of a loop; remove it", statement.line,
                      statement.kind == StatementKind::break_ ? "break" : "continue");
        return {};
    }
    return {};
  }

  static Position inside(Position at) {
    at.top_level = false;
    at.soft = false;
    return at;
  }

  Status bind_for(For& node, Symbols& scope, const Position& at) {
    QN_OK(bind(node.iterable.get(), scope, at.soft));
    Position own = inside(at);
    ++own.for_depth;
    if (node.test) {
      Symbols inner{&scope, &node.test_scope};
      declare(inner, node.test_target);
      fresh_survey([&] { loads(inner, node.test.get()); });
      QN_OK(bind(node.test.get(), inner, false));
      QN_OK(bind(node.test_target, inner, own));
    }
    {
      Symbols inner{&scope, &node.body_scope};
      if (loop_name_ != no_name) {
        parameter(inner, loop_name_);
        node.loop_slot = static_cast<std::int32_t>(inner.slots.at(loop_name_));
      }
      declare(inner, node.target);
      fresh_survey([&] { survey(node.body, inner); });
      QN_OK(bind(node.target, inner, own));
      Position body = own;
      body.in_loop = true;
      QN_OK(bind(node.body, inner, body));
    }
    Symbols inner{&scope, &node.else_scope};
    fresh_survey([&] { survey(node.otherwise, inner); });
    return bind(node.otherwise, inner, own);
  }

  Status bind_macro(MacroBody& macro, Symbols& scope, const Position& at) {
    Symbols inner{&scope, &macro.scope};
    Uses special;
    for (const std::uint32_t name : {caller_name_, kwargs_name_, varargs_name_})
      if (name != no_name) special.wanted.insert(name);
    uses(special, macro.body);
    for (MacroBody::Parameter& parameter_of : macro.parameters) {
      parameter(inner, parameter_of.name);
      parameter_of.slot = inner.slots.at(parameter_of.name);
    }
    const auto explicit_parameter = [&](std::uint32_t name) {
      return std::find_if(macro.parameters.begin(), macro.parameters.end(), [&](const auto& p) { return p.name == name; });
    };
    const auto implicit = [&](std::uint32_t name, std::int32_t& slot) -> Status {
      if (name == no_name || !special.found.contains(name)) return {};
      if (const auto explicit_one = explicit_parameter(name); explicit_one != macro.parameters.end()) {
        if (name == caller_name_ && !explicit_one->fallback)
          return fail(Code::bad_input, "line {}: parameter 'caller' needs a default; give it one or leave it out", macro.line);
        if (name == caller_name_) slot = static_cast<std::int32_t>(explicit_one->slot);
        return {};
      }
      parameter(inner, name);
      slot = static_cast<std::int32_t>(inner.slots.at(name));
      return {};
    };
    QN_OK(implicit(caller_name_, macro.caller_slot));
    QN_OK(implicit(kwargs_name_, macro.kwargs_slot));
    QN_OK(implicit(varargs_name_, macro.varargs_slot));
    fresh_survey([&] {
      for (MacroBody::Parameter& parameter_of : macro.parameters) loads(inner, parameter_of.fallback.get());
      survey(macro.body, inner);
    });
    Position own = inside(at);
    own.in_loop = false;
    for (MacroBody::Parameter& parameter_of : macro.parameters) QN_OK(bind(parameter_of.fallback.get(), inner, false));
    return bind(macro.body, inner, own);
  }

  const std::vector<std::string>& names_;
  Budget budget_;
  int branches_ = 0;
  std::uint32_t loop_name_ = no_name, caller_name_ = no_name, kwargs_name_ = no_name, varargs_name_ = no_name;
};

}  // namespace

Status resolve_names(Parsed& parsed, ScopeTable& root, const TemplateLimits& limits) {
  return Resolver(parsed, limits).run(parsed.body, root);
}

}  // namespace qn::text::jinja
