#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "restic/go_text.hpp"
#include "restic/json_scanner.hpp"
#include "restic/node.hpp"
#include "restic/node_type.hpp"

namespace mtc::restic {
namespace {

using volume::Type;

/// A node as its members come, in any order.
struct Draft {
  Node node;
  std::string name;
  std::string type;
  std::string raw_target;
};

std::int64_t read_time(JsonScanner& from) {
  const auto time = parse_rfc3339(from.string());
  if (!time) from.refuse("has a broken time");
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time->time_since_epoch()).count();
}

std::uint32_t read_owner(JsonScanner& from) {
  const auto value = from.number();
  if (value > UINT32_MAX) from.refuse("has an impossible owner");
  return static_cast<std::uint32_t>(value);
}

std::string read_base64(JsonScanner& from) {
  if (from.take_null()) return {};
  auto bytes = base64_decode(from.string());
  if (!bytes) from.refuse("has broken base64");
  return std::move(*bytes);
}

Id read_id(JsonScanner& from) {
  const auto id = Id::parse(from.string());
  if (!id) from.refuse("has a broken id");
  return *id;
}

void read_xattrs(JsonScanner& from, volume::Xattrs& into) {
  std::size_t total = 0;
  from.array([&] {
    std::pair<std::string, std::string> attribute;
    from.object([&](const std::string& key) {
      if (key == "name") {
        attribute.first = from.string();
      } else if (key == "value") {
        attribute.second = read_base64(from);
      } else {
        from.skip_value();
      }
    });
    const auto& name = attribute.first;
    if (name.empty() || name.size() > volume::kMaxName || name.contains('\0')) from.refuse("has a broken attribute");
    total += name.size() + attribute.second.size();
    if (total > volume::kMaxXattrs) from.refuse("has too many attributes on one name");
    if (name != "security.selinux") into.push_back(std::move(attribute));  // It belongs to the machine.
  });
  std::ranges::sort(into);
  if (std::ranges::adjacent_find(into, {}, [](const auto& each) { return each.first; }) != into.end()) {
    from.refuse("has an attribute twice");
  }
}

using Read = void (*)(JsonScanner&, Draft&);
constexpr std::array<std::pair<std::string_view, Read>, 17> kMembers{{
    {"name", [](JsonScanner& from, Draft& to) { to.name = from.string(); }},
    {"type", [](JsonScanner& from, Draft& to) { to.type = from.string(); }},
    {"mode", [](JsonScanner& from, Draft& to) { to.node.entry.mode = unix_mode(from.number()); }},
    {"mtime", [](JsonScanner& from, Draft& to) { to.node.entry.mtime_ns = read_time(from); }},
    {"ctime", [](JsonScanner& from, Draft& to) { to.node.ctime_ns = read_time(from); }},
    {"uid", [](JsonScanner& from, Draft& to) { to.node.entry.uid = read_owner(from); }},
    {"gid", [](JsonScanner& from, Draft& to) { to.node.entry.gid = read_owner(from); }},
    {"user", [](JsonScanner& from, Draft& to) { to.node.user = from.string(); }},
    {"group", [](JsonScanner& from, Draft& to) { to.node.group = from.string(); }},
    {"inode", [](JsonScanner& from, Draft& to) { to.node.inode = from.number(); }},
    {"device_id", [](JsonScanner& from, Draft& to) { to.node.device = from.number(); }},
    {"size", [](JsonScanner& from, Draft& to) { to.node.entry.size = from.number(); }},
    {"links", [](JsonScanner& from, Draft& to) { to.node.links = from.number(); }},
    {"linktarget", [](JsonScanner& from, Draft& to) { to.node.entry.target = from.string(); }},
    {"linktarget_raw", [](JsonScanner& from, Draft& to) { to.raw_target = read_base64(from); }},
    {"extended_attributes", [](JsonScanner& from, Draft& to) { read_xattrs(from, to.node.entry.xattrs); }},
    {"device", [](JsonScanner& from, Draft& to) { to.node.entry.rdev = from.number(); }},
}};

void read_member(JsonScanner& from, const std::string& key, Draft& to) {
  if (const auto* const known = std::ranges::find(kMembers, key, [](const auto& each) { return each.first; });
      known != kMembers.end()) {
    known->second(from, to);
  } else if (key == "content") {
    from.array([&] { to.node.content.push_back(read_id(from)); });
  } else if (key == "subtree") {
    if (!from.take_null()) to.node.subtree = read_id(from);
  } else {
    from.skip_value();
  }
}

/// Only what a file system could have said leaves here.
Node checked(const JsonScanner& from, Draft draft) {
  auto& entry = draft.node.entry;
  auto name = go_unquoted(draft.name);
  if (!name || !volume::is_safe_name(*name)) from.refuse("has an impossible name");
  entry.name = std::move(*name);
  const auto type = type_named(draft.type);
  if (!type) {
    throw Error(Code::kUnsupported, fmt::format("{} is of a type that is not known: {}", entry.name, draft.type));
  }
  entry.type = *type;
  if (!draft.raw_target.empty()) entry.target = std::move(draft.raw_target);
  if (*type != Type::kFile && (entry.size != 0 || !draft.node.content.empty())) from.refuse("has content of no file");
  if (entry.size > static_cast<std::uint64_t>(INT64_MAX)) from.refuse("has an impossible size");
  if ((*type == Type::kSymlink) == entry.target.empty()) from.refuse("has a target of no link, or a link without");
  if (entry.target.size() > volume::kMaxTarget || entry.target.contains('\0')) from.refuse("has an impossible target");
  const bool device = *type == Type::kCharDevice || *type == Type::kBlockDevice;
  if (!device && entry.rdev != 0) from.refuse("has a device number of no device");
  if ((*type == Type::kDirectory) != draft.node.subtree.has_value()) from.refuse("has a subtree of no directory");
  entry.shared = *type != Type::kDirectory && draft.node.links > 1;
  return std::move(draft.node);
}

}  // namespace

TreeReader::TreeReader(std::string_view json, std::string_view path) : rest_(json), path_(path) {}

std::optional<Node> TreeReader::next() {
  JsonScanner from(rest_, path_);
  if (at_ == At::kStart) {
    from.expect('{');
    if (from.string() != "nodes") from.refuse("has no nodes");
    from.expect(':');
    const bool none = from.take_null();
    if (!none) from.expect('[');
    at_ = none || from.take(']') ? At::kEnd : At::kNodes;
  } else if (at_ == At::kNodes && !from.take(',')) {
    from.expect(']');
    at_ = At::kEnd;
  }
  if (at_ == At::kEnd) {
    if (!from.rest().empty()) {
      from.expect('}');
      from.end();
    }
    rest_ = {};
    return std::nullopt;
  }
  Draft draft;
  from.object([&](const std::string& key) { read_member(from, key, draft); });
  auto node = checked(from, std::move(draft));
  if (!last_.empty() && node.entry.name <= last_) from.refuse("has names out of order");
  last_ = node.entry.name;
  rest_ = from.rest();
  return node;
}

}  // namespace mtc::restic
