// Numbers between bounds, digit by digit. Whole numbers have at most 20 digits. Where there is a bound, fractions have so few digits that
// whoever reads the number as a double stays on the same side of it, and there is no exponent.
#include <algorithm>

#include "text/grammar/json_text.h"
#include "text/grammar/schema/decimal.h"
#include "text/grammar/schema/writer.h"

namespace qn::text::schema {
namespace {

using Wide = __int128;

constexpr int most_digits = 20;
constexpr int exact_digits = 15;  // decimal digits that a double keeps apart
constexpr int most_listed = 2000;
constexpr int most_modulus = 1000;

std::string digits_of(Wide value) {
  std::string out;
  for (; value > 0; value /= 10) out.insert(out.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
  return out.empty() ? "0" : out;
}

Wide value_of(std::string_view digits) {
  Wide value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

Wide power_of_ten(int exponent) {
  return value_of("1" + std::string(static_cast<std::size_t>(exponent), '0'));
}

class Digits {
 public:
  explicit Digits(GrammarBuilder& builder) : b_(builder) {}

  RuleId nothing() { return b_.choice({}); }
  RuleId empty() { return b_.sequence({}); }
  RuleId digit(char first, char last) {
    const CharRange range{static_cast<char32_t>(first), static_cast<char32_t>(last)};
    return first > last ? nothing() : b_.characters({&range, 1});
  }
  RuleId any(int min, int max) { return b_.repeat(digit('0', '9'), min, max); }
  RuleId zeros(int max) { return b_.repeat(b_.literal("0"), 0, max); }

  RuleId at_least(std::string_view s) {  // of the same length
    if (s.empty()) return empty();
    const int rest = static_cast<int>(s.size()) - 1;
    return b_.choice({b_.sequence({b_.literal(s.substr(0, 1)), at_least(s.substr(1))}),
                      b_.sequence({digit(static_cast<char>(s[0] + 1), '9'), any(rest, rest)})});
  }
  RuleId at_most(std::string_view s) {
    if (s.empty()) return empty();
    const int rest = static_cast<int>(s.size()) - 1;
    return b_.choice({b_.sequence({b_.literal(s.substr(0, 1)), at_most(s.substr(1))}),
                      b_.sequence({digit('0', static_cast<char>(s[0] - 1)), any(rest, rest)})});
  }
  RuleId between(std::string_view low, std::string_view high) {  // of one length
    if (low.empty()) return empty();
    if (low[0] == high[0]) return b_.sequence({b_.literal(low.substr(0, 1)), between(low.substr(1), high.substr(1))});
    const int rest = static_cast<int>(low.size()) - 1;
    return b_.choice({b_.sequence({b_.literal(low.substr(0, 1)), at_least(low.substr(1))}),
                      b_.sequence({digit(static_cast<char>(low[0] + 1), static_cast<char>(high[0] - 1)), any(rest, rest)}),
                      b_.sequence({b_.literal(high.substr(0, 1)), at_most(high.substr(1))})});
  }

  // Without a sign; 0 <= low.
  RuleId whole(Wide low, std::optional<Wide> high) {
    const Wide top = std::min(high.value_or(power_of_ten(most_digits) - 1), power_of_ten(most_digits) - 1);
    std::vector<RuleId> ways;
    for (int length = 1; length <= most_digits; ++length) {
      const Wide first = std::max(low, length == 1 ? Wide{0} : power_of_ten(length - 1)), last = std::min(top, power_of_ten(length) - 1);
      if (first > last) continue;
      if (length > 1 && first == power_of_ten(length - 1) && top == power_of_ten(most_digits) - 1) {
        ways.push_back(b_.sequence({digit('1', '9'), any(length - 1, most_digits - 1)}));
        break;
      }
      ways.push_back(between(digits_of(first), digits_of(last)));
    }
    return b_.choice(ways);
  }

  // What may stand behind the digits so far, that were those of the bound; `room` digits may still come. s: the bound's further ones.
  struct Side {
    std::string_view s;
    bool exclusive;
  };
  RuleId tail_at_least(Side low, int room) {
    if (low.s.empty()) return low.exclusive ? more_than_zero(room) : any(0, room);
    if (room == 0) return nothing();
    return b_.choice({b_.sequence({digit(static_cast<char>(low.s[0] + 1), '9'), any(0, room - 1)}),
                      b_.sequence({b_.literal(low.s.substr(0, 1)), tail_at_least({low.s.substr(1), low.exclusive}, room - 1)})});
  }
  RuleId tail_at_most(Side high, int room) {
    if (high.s.empty()) return high.exclusive ? nothing() : zeros(room);
    if (room == 0) return empty();
    return b_.optional(
        b_.choice({b_.sequence({digit('0', static_cast<char>(high.s[0] - 1)), any(0, room - 1)}),
                   b_.sequence({b_.literal(high.s.substr(0, 1)), tail_at_most({high.s.substr(1), high.exclusive}, room - 1)})}));
  }
  RuleId tail_between(Side low, Side high, int room) {
    std::vector<RuleId> ways;
    if (low.s.empty() && !low.exclusive && (!high.s.empty() || !high.exclusive)) ways.push_back(empty());
    if (room > 0 && !(low.s.empty() && high.s.empty() && (low.exclusive || high.exclusive))) {
      const char from = low.s.empty() ? '0' : low.s[0], to = high.s.empty() ? '0' : high.s[0];
      const Side lower{low.s.empty() ? low.s : low.s.substr(1), low.exclusive},
          upper{high.s.empty() ? high.s : high.s.substr(1), high.exclusive};
      const auto one = [](const char& c) { return std::string_view(&c, 1); };
      if (from == to) {
        ways.push_back(b_.sequence({b_.literal(one(from)), tail_between(lower, upper, room - 1)}));
      } else if (from < to) {
        ways.push_back(b_.sequence({b_.literal(one(from)), tail_at_least(lower, room - 1)}));
        ways.push_back(b_.sequence({digit(static_cast<char>(from + 1), static_cast<char>(to - 1)), any(0, room - 1)}));
        ways.push_back(b_.sequence({b_.literal(one(to)), tail_at_most(upper, room - 1)}));
      }
    }
    return b_.choice(ways);
  }

  // A fraction with its point; none of it, where that is within the bounds.
  RuleId fraction(std::optional<Side> low, std::optional<Side> high, int room) {
    const bool none_fits = (!low || (low->s.empty() && !low->exclusive)) && (!high || !high->s.empty() || !high->exclusive);
    const RuleId digits = low && high ? tail_between(*low, *high, room)
                          : low       ? tail_at_least(*low, room)
                          : high      ? tail_at_most(*high, room)
                                      : any(0, room);
    // The tails may be empty, a fraction may not: a point is followed by a digit.
    const RuleId with_point = room > 0 ? b_.sequence({b_.literal("."), not_empty(digits, low, high, room)}) : nothing();
    return none_fits ? b_.optional(with_point) : with_point;
  }

 private:
  RuleId more_than_zero(int room) {
    std::vector<RuleId> ways;
    std::string zeros;
    for (int i = 0; i < room; ++i, zeros.push_back('0'))
      ways.push_back(b_.sequence({b_.literal(zeros), digit('1', '9'), any(0, room - i - 1)}));
    return b_.choice(ways);
  }

  // The same tail with its first digit taken by hand.
  RuleId not_empty(RuleId tail, std::optional<Side> low, std::optional<Side> high, int room) {
    if (!low && !high) return any(1, room);
    if (low && !low->s.empty()) return tail;
    if (low && low->exclusive) return tail;
    const std::string_view top = high ? high->s : std::string_view();
    if (!high) return any(1, room);
    if (top.empty()) return high->exclusive ? nothing() : b_.sequence({b_.literal("0"), zeros(room - 1)});
    return b_.choice({b_.sequence({digit('0', static_cast<char>(top[0] - 1)), any(0, room - 1)}),
                      b_.sequence({b_.literal(top.substr(0, 1)), tail_at_most({top.substr(1), high->exclusive}, room - 1)})});
  }

  GrammarBuilder& b_;
};

struct Interval {  // of magnitudes, of one sign
  Bound low{"0", false};
  std::optional<Bound> high;
};

RuleId write_magnitudes(GrammarBuilder& b, const Interval& interval, std::optional<int> decimals) {
  Digits digits(b);
  const Decimal low = parse_decimal(interval.low.digits);
  if (static_cast<int>(low.whole.size()) > most_digits) return digits.nothing();
  const auto room = [&](const std::string& whole) {
    return std::min(decimals.value_or(exact_digits), std::max(0, exact_digits - static_cast<int>(whole.size())));
  };
  const Digits::Side lower{low.fraction, interval.low.exclusive};
  const Wide first = value_of(low.whole);
  std::vector<RuleId> ways;
  std::optional<Decimal> high;
  if (interval.high && static_cast<int>(parse_decimal(interval.high->digits).whole.size()) <= most_digits)
    high = parse_decimal(interval.high->digits);
  const Wide last = high ? value_of(high->whole) : -1;
  if (high && last < first) return digits.nothing();
  const auto upper = [&] { return Digits::Side{high->fraction, interval.high->exclusive}; };
  if (high && last == first) return b.sequence({b.literal(low.whole), digits.fraction(lower, upper(), room(low.whole))});
  ways.push_back(b.sequence({b.literal(low.whole), digits.fraction(lower, {}, room(low.whole))}));
  if (!high || last > first + 1)
    ways.push_back(b.sequence({digits.whole(first + 1, high ? std::optional<Wide>(last - 1) : std::nullopt),
                               digits.fraction({}, {}, std::min(decimals.value_or(exact_digits), exact_digits))}));
  if (high) ways.push_back(b.sequence({b.literal(high->whole), digits.fraction({}, upper(), room(high->whole))}));
  return b.choice(ways);
}

Bound negated(const Bound& bound) {
  if (bound.digits.starts_with("-")) return {bound.digits.substr(1), bound.exclusive};
  return {bound.digits == "0" ? "0" : "-" + bound.digits, bound.exclusive};
}

// Values of one sign, as magnitudes; none: there are no such.
std::optional<Interval> side(const std::optional<Bound>& low, const std::optional<Bound>& high) {
  if (high && (high->digits.starts_with("-") || (high->digits == "0" && high->exclusive))) return {};
  Interval interval;
  if (low && !low->digits.starts_with("-")) interval.low = *low;
  interval.high = high;
  return interval;
}

// The integers that satisfy the bounds; none: without end.
struct Integers {
  std::optional<Wide> low, high;
};

Integers integers(const Facts& facts) {
  const auto rounded = [](const Bound& bound, int up) {  // up: 1 for a lower bound
    const Decimal d = parse_decimal(bound.digits);
    if (static_cast<int>(d.whole.size()) > most_digits) return (d.negative ? -1 : 1) * power_of_ten(most_digits);
    const Wide value = value_of(d.whole) * (d.negative ? -1 : 1);
    if (!d.fraction.empty()) return d.negative == (up < 0) ? value + up : value;
    return bound.exclusive ? value + up : value;
  };
  Integers out;
  if (facts.minimum) out.low = rounded(*facts.minimum, 1);
  if (facts.maximum) out.high = rounded(*facts.maximum, -1);
  return out;
}

RuleId write_integers(GrammarBuilder& b, const Integers& bounds) {
  Digits digits(b);
  std::vector<RuleId> ways;
  if (bounds.low && bounds.high && *bounds.low > *bounds.high) return digits.nothing();
  if (!bounds.high || *bounds.high >= 0) ways.push_back(digits.whole(std::max<Wide>(0, bounds.low.value_or(0)), bounds.high));
  if (!bounds.low || *bounds.low < 0)
    ways.push_back(b.sequence({b.literal("-"), digits.whole(std::max<Wide>(1, -bounds.high.value_or(-1)),
                                                            bounds.low ? std::optional<Wide>(-*bounds.low) : std::nullopt)}));
  return b.choice(ways);
}

// Remainders as rules: reading a digit leads from one to another.
Result<RuleId> write_multiples(GrammarBuilder& b, const Integers& bounds, const Facts& facts) {
  Digits digits(b);
  if (facts.multiple_of->size() > 18)
    return fail(Code::unsupported, "{}: multipleOf {}; use at most 18 digits", facts.path, *facts.multiple_of);
  const Wide m = value_of(*facts.multiple_of);
  if (m == 1) return write_integers(b, bounds);
  if (bounds.low && bounds.high) {
    Wide first = *bounds.low / m * m;
    if (first < *bounds.low) first += m;
    if ((*bounds.high - first) / m < most_listed) {
      std::vector<RuleId> ways;
      for (Wide value = first; value <= *bounds.high; value += m)
        ways.push_back(b.literal((value < 0 ? "-" : "") + digits_of(value < 0 ? -value : value)));
      return b.choice(ways);
    }
  }
  const bool free_below = !bounds.low, from_zero = bounds.low && (*bounds.low == 0 || *bounds.low == 1);
  if (bounds.high || !(free_below || from_zero) || m > most_modulus)
    return fail(Code::unsupported, "{}: multipleOf {} within these bounds; give both bounds, with at most {} multiples between them",
                facts.path, *facts.multiple_of, most_listed);
  const int modulus = static_cast<int>(m);
  std::vector<RuleId> remainder;
  for (int r = 0; r < modulus; ++r) remainder.push_back(b.declare("multipleOf"));
  const auto after = [&](int r, char first) {
    std::vector<RuleId> ways;
    for (char d = first; d <= '9'; ++d)
      ways.push_back(b.sequence({digits.digit(d, d), remainder[static_cast<std::size_t>((r * 10 + (d - '0')) % modulus)]}));
    return b.choice(ways);
  };
  for (int r = 0; r < modulus; ++r) {
    const RuleId more = after(r, '0');
    b.define(remainder[static_cast<std::size_t>(r)], r == 0 ? b.optional(more) : more);
  }
  const RuleId positive = after(0, '1');
  const RuleId whole = from_zero && *bounds.low == 1 ? positive : b.choice({b.literal("0"), positive});
  return free_below ? b.choice({whole, b.sequence({b.literal("-"), positive})}) : whole;
}

}  // namespace

Result<RuleId> write_integer(GrammarBuilder& builder, const Facts& facts) {
  if (facts.multiple_of) {
    const Decimal m = parse_decimal(*facts.multiple_of);
    if (m.fraction.empty()) return write_multiples(builder, integers(facts), facts);
    // Every integer is a multiple of a decimal power below 1.
    if (m.whole != "0" || m.fraction.find_first_not_of('0') + 1 != m.fraction.size() || m.fraction.back() != '1')
      return fail(Code::unsupported, "{}: multipleOf {} is neither whole nor a power of ten; use one of these", facts.path,
                  *facts.multiple_of);
  }
  if (!facts.minimum && !facts.maximum) return builder.known_json("integer");
  return write_integers(builder, integers(facts));
}

Result<RuleId> write_number(GrammarBuilder& builder, const Facts& facts) {
  std::optional<int> decimals;
  if (facts.multiple_of) {
    const Decimal m = parse_decimal(*facts.multiple_of);
    if (m.fraction.empty()) return write_multiples(builder, integers(facts), facts);
    if (m.whole != "0" || m.fraction.find_first_not_of('0') + 1 != m.fraction.size() || m.fraction.back() != '1')
      return fail(Code::unsupported, "{}: multipleOf {} is neither whole nor a power of ten; use one of these", facts.path,
                  *facts.multiple_of);
    decimals = static_cast<int>(m.fraction.size());
  }
  if (!facts.minimum && !facts.maximum && !decimals) return builder.known_json("number");
  if (facts.minimum && facts.maximum) {
    const int order = compare_decimals(facts.minimum->digits, facts.maximum->digits);
    if (order > 0 || (order == 0 && (facts.minimum->exclusive || facts.maximum->exclusive))) return builder.choice({});
  }
  std::vector<RuleId> ways;
  if (const auto positive = side(facts.minimum, facts.maximum)) ways.push_back(write_magnitudes(builder, *positive, decimals));
  const auto mirrored = [](const std::optional<Bound>& bound) { return bound ? std::optional<Bound>(negated(*bound)) : std::nullopt; };
  if (const auto negative = side(mirrored(facts.maximum), mirrored(facts.minimum));
      negative && !(facts.minimum && facts.minimum->digits == "0"))
    ways.push_back(builder.sequence({builder.literal("-"), write_magnitudes(builder, *negative, decimals)}));
  return builder.choice(ways);
}

}  // namespace qn::text::schema
