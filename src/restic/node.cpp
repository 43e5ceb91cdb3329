#include "restic/node.hpp"

#include <array>
#include <ctime>
#include <iterator>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "restic/go_text.hpp"
#include "restic/node_type.hpp"

namespace mtc::restic {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

/// time.RFC3339Nano, in UTC.
void append_time(std::string& to, std::int64_t ns) {
  auto seconds = static_cast<std::time_t>(ns / kSecond);
  auto fraction = ns % kSecond;
  if (fraction < 0) {
    fraction += kSecond;
    --seconds;
  }
  std::tm tm{};
  ::gmtime_r(&seconds, &tm);
  fmt::format_to(std::back_inserter(to), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", tm.tm_year + 1900, tm.tm_mon + 1,
                 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
  if (fraction != 0) {
    fmt::format_to(std::back_inserter(to), ".{:09}", fraction);
    to.resize(to.find_last_not_of('0') + 1);
  }
  to += 'Z';
}

void append_number(std::string& to, std::string_view key, std::uint64_t value) {
  if (value != 0) fmt::format_to(std::back_inserter(to), ",\"{}\":{}", key, value);
}

void append_text(std::string& to, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  fmt::format_to(std::back_inserter(to), ",\"{}\":", key);
  append_json_string(to, value);
}

void append_xattrs(std::string& to, const volume::Xattrs& xattrs) {
  if (xattrs.empty()) return;
  to += ",\"extended_attributes\":[";
  for (const auto& [name, value] : xattrs) {
    if (to.back() != '[') to += ',';
    to += "{\"name\":";
    append_json_string(to, name);
    fmt::format_to(std::back_inserter(to), ",\"value\":\"{}\"}}", base64_encode(value));
  }
  to += ']';
}

void append_content(std::string& to, const Node& node) {
  if (node.entry.type != volume::Type::kFile) {
    to += ",\"content\":null";
    return;
  }
  to += ",\"content\":[";
  for (const auto& id : node.content) {
    if (to.back() != '[') to += ',';
    fmt::format_to(std::back_inserter(to), "\"{}\"", id.hex());
  }
  to += ']';
}

}  // namespace

void append_node(std::string& to, const Node& node) {
  const auto& entry = node.entry;
  std::string name;
  append_go_quoted(name, entry.name);
  to += "{\"name\":";
  append_json_string(to, name);
  fmt::format_to(std::back_inserter(to), ",\"type\":\"{}\"", name_of(entry.type));
  append_number(to, "mode", go_mode(entry));
  for (const auto* key : {"mtime", "atime", "ctime"}) {
    fmt::format_to(std::back_inserter(to), ",\"{}\":\"", key);
    append_time(to, key[0] == 'c' ? node.ctime_ns : entry.mtime_ns);  // restic writes mtime for atime, too
    to += '"';
  }
  fmt::format_to(std::back_inserter(to), ",\"uid\":{},\"gid\":{}", entry.uid, entry.gid);
  append_text(to, "user", node.user);
  append_text(to, "group", node.group);
  append_number(to, "inode", node.inode);
  append_number(to, "device_id", node.device);
  append_number(to, "size", entry.size);
  // restic counts them for some types only; what has several names says so in any case.
  if (has_links(entry.type) || node.entry.shared) append_number(to, "links", node.links);
  append_text(to, "linktarget", entry.target);
  if (!is_utf8(entry.target)) append_text(to, "linktarget_raw", base64_encode(entry.target));
  append_xattrs(to, entry.xattrs);
  append_number(to, "device", entry.rdev);
  append_content(to, node);
  if (node.subtree) fmt::format_to(std::back_inserter(to), ",\"subtree\":\"{}\"", node.subtree->hex());
  to += '}';
}

}  // namespace mtc::restic
