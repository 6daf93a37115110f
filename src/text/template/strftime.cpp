#include "text/template/strftime.h"

#include <algorithm>

#include "base/format.h"

namespace qn::text::jinja {
namespace {

constexpr const char* days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr const char* months[] = {"January", "February", "March",     "April",   "May",      "June",
                                  "July",    "August",   "September", "October", "November", "December"};

// Week of the year when weeks begin on `first` (0 Sunday, 1 Monday) and days before the first such day are week 0.
int week_of_year(const std::tm& time, int first) {
  return (time.tm_yday + 7 - (time.tm_wday - first + 7) % 7) / 7;
}

struct IsoWeek {
  int year, week;
};

IsoWeek iso_week(const std::tm& time) {
  const int year = time.tm_year + 1900;
  const int weekday = (time.tm_wday + 6) % 7;  // Monday is 0
  const int week = (time.tm_yday - weekday + 10) / 7;
  const auto weeks_in = [](int y) {
    const auto dominical = [](int z) { return (z + z / 4 - z / 100 + z / 400) % 7; };
    return dominical(y) == 4 || dominical(y - 1) == 3 ? 53 : 52;
  };
  if (week < 1) return {year - 1, weeks_in(year - 1)};
  if (week > weeks_in(year)) return {year + 1, 1};
  return {year, week};
}

void print_conversion(const std::tm& time, char conversion, Text& out) {
  const int year = time.tm_year + 1900, hour12 = time.tm_hour % 12 == 0 ? 12 : time.tm_hour % 12;
  const char* day = days[std::clamp(time.tm_wday, 0, 6)];
  const char* month = months[std::clamp(time.tm_mon, 0, 11)];
  switch (conversion) {
    case 'a': return out.add(std::string_view(day).substr(0, 3));
    case 'A': return out.add(day);
    case 'b':
    case 'h': return out.add(std::string_view(month).substr(0, 3));
    case 'B': return out.add(month);
    case 'C': return out.add(fmt::format("{:02}", year / 100));
    case 'd': return out.add(fmt::format("{:02}", time.tm_mday));
    case 'e': return out.add(fmt::format("{:2}", time.tm_mday));
    case 'f': return out.add("000000");
    case 'G': return out.add(fmt::format("{}", iso_week(time).year));
    case 'g': return out.add(fmt::format("{:02}", iso_week(time).year % 100));
    case 'H': return out.add(fmt::format("{:02}", time.tm_hour));
    case 'I': return out.add(fmt::format("{:02}", hour12));
    case 'j': return out.add(fmt::format("{:03}", time.tm_yday + 1));
    case 'k': return out.add(fmt::format("{:2}", time.tm_hour));
    case 'l': return out.add(fmt::format("{:2}", hour12));
    case 'm': return out.add(fmt::format("{:02}", time.tm_mon + 1));
    case 'M': return out.add(fmt::format("{:02}", time.tm_min));
    case 'n': return out.add("\n");
    case 'p': return out.add(time.tm_hour < 12 ? "AM" : "PM");
    case 'P': return out.add(time.tm_hour < 12 ? "am" : "pm");
    case 'S': return out.add(fmt::format("{:02}", time.tm_sec));
    case 't': return out.add("\t");
    case 'u': return out.add(fmt::format("{}", time.tm_wday == 0 ? 7 : time.tm_wday));
    case 'U': return out.add(fmt::format("{:02}", week_of_year(time, 0)));
    case 'V': return out.add(fmt::format("{:02}", iso_week(time).week));
    case 'w': return out.add(fmt::format("{}", time.tm_wday));
    case 'W': return out.add(fmt::format("{:02}", week_of_year(time, 1)));
    case 'y': return out.add(fmt::format("{:02}", year % 100));
    case 'Y': return out.add(fmt::format("{}", year));
    case 'z':
    case 'Z': return;  // the time given has no zone
    case '%': return out.add("%");
    default: break;
  }
  const char* longer = conversion == 'c'   ? "%a %b %e %H:%M:%S %Y"
                       : conversion == 'D' ? "%m/%d/%y"
                       : conversion == 'F' ? "%Y-%m-%d"
                       : conversion == 'r' ? "%I:%M:%S %p"
                       : conversion == 'R' ? "%H:%M"
                       : conversion == 'T' ? "%H:%M:%S"
                       : conversion == 'x' ? "%m/%d/%y"
                       : conversion == 'X' ? "%H:%M:%S"
                                           : nullptr;
  if (longer != nullptr) return print_time(time, longer, out);
  const char as_written[2] = {'%', conversion};
  out.add({as_written, 2});
}

}  // namespace

void print_time(const std::tm& time, std::string_view form, Text& out) {
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '%' || i + 1 >= form.size()) {
      out.add(form.substr(i, 1));
      continue;
    }
    ++i;
    // GNU's "no padding" flag, which templates use for days: %-d.
    if (form[i] == '-' && i + 1 < form.size()) {
      Text padded(out.budget());
      print_conversion(time, form[++i], padded);
      std::string_view text = padded.view();
      while (text.size() > 1 && (text.front() == '0' || text.front() == ' ')) text.remove_prefix(1);
      out.add(text);
      continue;
    }
    print_conversion(time, form[i], out);
  }
}

}  // namespace qn::text::jinja
