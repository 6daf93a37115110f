// Formats of strings as regular expressions. Where a standard's full form is no regular language or has corners that nobody writes, it is a
// part of it: what is written always has the format.
//   source   JSON Schema 2020-12 validation, section 7.3; RFC 3339 (dates), 5321 and 1123 (mail, hosts), 4291 (IPv6), 3986 (URI), 6901
//   (pointers)
#include <algorithm>
#include <string>

#include "text/grammar/schema/writer.h"

namespace qn::text::schema {
namespace {

const std::string year = R"((?:\d{3}[1-9]|\d{2}[1-9]\d|\d[1-9]\d{2}|[1-9]\d{3}))";
const std::string leap_year = R"((?:\d{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00))";
const std::string date = "(?:" + year +
                         R"(-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))|)" +
                         leap_year + "-02-29)";
const std::string time_of_day = R"((?:(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)))";
const std::string date_time = date + "T" + time_of_day;
const std::string duration =
    R"(P(?:\d{1,9}W|(?:\d{1,9}Y(?:\d{1,9}M(?:\d{1,9}D)?)?|\d{1,9}M(?:\d{1,9}D)?|\d{1,9}D)(?:T(?:\d{1,9}H(?:\d{1,9}M(?:\d{1,9}S)?)?|\d{1,9}M(?:\d{1,9}S)?|\d{1,9}S))?|)"
    R"(T(?:\d{1,9}H(?:\d{1,9}M(?:\d{1,9}S)?)?|\d{1,9}M(?:\d{1,9}S)?|\d{1,9}S)))";
const std::string host = R"([A-Za-z0-9](?:[A-Za-z0-9-]{0,60}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,60}[A-Za-z0-9])?){0,3})";
const std::string email = R"([A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}){0,2}@)" + host;
const std::string octet = R"((?:25[0-5]|2[0-4]\d|1\d{2}|[1-9]?\d))";
const std::string ipv4 = octet + R"((?:\.)" + octet + "){3}";
const std::string ipv6 =
    "(?:(?:H:){7}H|(?:H:){1,7}:|(?:H:){1,6}:H|(?:H:){1,5}(?::H){1,2}|(?:H:){1,4}(?::H){1,3}|(?:H:){1,3}(?::H){1,4}|(?:H:){1,2}(?::H){1,5}|"
    "H:(?::H){1,6}|:(?::H){1,7}|::)";
const std::string uuid = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}";
const std::string uri_character = R"((?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2}))";
const std::string path = "(?:/" + uri_character + "*)*";
const std::string after_path = "(?:" + uri_character + "|[/?])*";
const std::string query = R"((?:\?)" + after_path + ")?(?:#" + after_path + ")?";
const std::string uri =
    "[A-Za-z][A-Za-z0-9+.-]{0,30}:(?://" + host + R"((?::\d{1,5})?)" + path + "|/?" + uri_character + "+" + path + ")" + query;
const std::string uri_reference = "(?:" + uri + "|(?:/" + uri_character + "+)+" + query + R"(|[A-Za-z0-9._~-]+)" + path + query + ")";
const std::string json_pointer = "(?:/(?:[^~/]|~[01])*)*";

std::string with_hex_groups(std::string pattern) {
  for (std::size_t at = pattern.find('H'); at != std::string::npos; at = pattern.find('H', at)) pattern.replace(at, 1, "[0-9a-fA-F]{1,4}");
  return pattern;
}
const std::string ipv6_written = with_hex_groups(ipv6);

// One of at most `most` characters.
std::string label(int most) {
  return fmt::format("[A-Za-z0-9](?:[A-Za-z0-9-]{{0,{}}}[A-Za-z0-9])?", std::min(60, most - 2));
}

struct Format {
  std::string_view name;
  const char* pattern;
};

}  // namespace

const char* format_pattern(std::string_view format) {
  const Format formats[] = {
      {"date", date.c_str()},
      {"time", time_of_day.c_str()},
      {"date-time", date_time.c_str()},
      {"duration", duration.c_str()},
      {"email", email.c_str()},
      {"idn-email", email.c_str()},
      {"hostname", host.c_str()},
      {"idn-hostname", host.c_str()},
      {"ipv4", ipv4.c_str()},
      {"ipv6", ipv6_written.c_str()},
      {"uuid", uuid.c_str()},
      {"uri", uri.c_str()},
      {"url", uri.c_str()},
      {"iri", uri.c_str()},
      {"uri-reference", uri_reference.c_str()},
      {"iri-reference", uri_reference.c_str()},
      {"json-pointer", json_pointer.c_str()},
      {"byte", "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"},
      {"password", ""},
      {"binary", ""},
      {"text", ""},
      {"markdown", ""},
  };
  for (const Format& known : formats)
    if (known.name == format) return known.pattern;
  return nullptr;
}

// Short ones are counted by write_product, which wants few states; longer ones have a bound for each part.
std::string format_pattern_within(std::string_view format, int most) {
  const std::string simple_host = R"([A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*)";
  const std::string local = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]";
  const bool counted = most < 40;
  if (format == "hostname" || format == "idn-hostname") {
    if (counted) return simple_host;
    const std::string part = label((most - 2) / 3);
    return most >= 251 ? host : part + "(?:\\." + part + "){0,2}";
  }
  if (format == "email" || format == "idn-email") {
    if (counted) return local + R"(+(?:\.)" + local + "+)*@" + simple_host;
    const std::string part = label(most / 4);
    return most >= 314
               ? email
               : fmt::format("(?:{0}{{1,{1}}}|{0}{{1,{2}}}\\.{0}{{1,{2}}})@", local, std::min(60, most / 3), std::min(30, most / 6 - 1)) +
                     part + "(?:\\." + part + ")?";
  }
  if (format == "uri" || format == "url" || format == "iri" || format == "uri-reference" || format == "iri-reference") {
    const std::string rest = "[A-Za-z0-9._~!$&'()*+,;=:@/?-]";
    if (counted) return "https?://" + simple_host + "(?:/" + rest + "*)?";
    const int part = std::min(60, (most - 8) / 4);
    const int room = std::min(10'000, most - 8 - (2 * part + 1) - 1);
    return "https?://" + label(part) + "(?:\\." + label(part) + ")?" + fmt::format("(?:/{}{{0,{}}})?", rest, room);
  }
  return {};
}

bool is_number_format(std::string_view format) {
  for (const std::string_view known :
       {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float", "double", "decimal"})
    if (known == format) return true;
  return false;
}

}  // namespace qn::text::schema
