#include "backup/files.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>
#include <zlib.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "json/json.hpp"

namespace mtc::backup {
namespace {

constexpr int kGzipWindow = 15 + 16;  ///< zlib: the largest window, gzip framing

std::string_view word(ItemResult::Fate fate) {
  switch (fate) {
    case ItemResult::Fate::kStored: return "stored";
    case ItemResult::Fate::kRestored: return "restored";
    case ItemResult::Fate::kTransformed: return "transformed";
    case ItemResult::Fate::kSkipped: return "skipped";
    case ItemResult::Fate::kFailed: return "failed";
  }
  return "failed";
}

std::string shown(const ItemResult& item) {
  return item.ns.empty() ? fmt::format("{} {}", item.group_resource, item.name)
                         : fmt::format("{} {}/{}", item.group_resource, item.ns, item.name);
}

/// {"apps/v1/Deployment": ["ns/name"]}; a restore adds the outcome: "ns/name(created)".
Json resource_list(const Outcome& outcome, bool with_fate) {
  std::map<std::string, std::vector<std::string>> lists;
  for (const auto& item : outcome.items) {
    if (!with_fate && item.fate != ItemResult::Fate::kStored) continue;
    const auto dot = item.group_resource.find('.');
    const auto group = dot == std::string::npos ? "" : item.group_resource.substr(dot + 1) + "/";
    auto name = item.ns.empty() ? item.name : item.ns + "/" + item.name;
    if (with_fate) {
      const bool made = item.fate == ItemResult::Fate::kRestored || item.fate == ItemResult::Fate::kTransformed;
      name += made ? "(created)" : fmt::format("({})", word(item.fate));
    }
    lists[fmt::format("{}{}/{}", group, item.version, item.kind)].push_back(std::move(name));
  }
  Json out = Json::object();
  for (auto& [kind, names] : lists) {
    std::ranges::sort(names);
    out[kind] = names;
  }
  return out;
}

/// Velero has no file that says why an object is what it is there; this one is ours.
Json items_of(const Outcome& outcome) {
  std::vector<Json> out;
  out.reserve(outcome.items.size());
  for (const auto& item : outcome.items) {
    Json entry = {{"resource", item.group_resource}, {"name", item.name}, {"fate", word(item.fate)}};
    if (!item.ns.empty()) entry["namespace"] = item.ns;
    if (!item.detail.empty()) entry["detail"] = item.detail;
    out.push_back(std::move(entry));
  }
  return out;
}

std::string items_key(const Environment& environment, const std::string& name) {
  return fmt::format("{}restore-{}-mtc-items.json.gz", restore_folder(environment, name), name);
}

Task<void> put_gzip(blob::StorePtr store, std::string key, std::string text) {
  co_await store->put(std::move(key), gzip(text));
}

Task<void> write_all(Environment environment, std::map<std::string, std::string> files) {
  std::vector<Task<void>> writes;
  writes.reserve(files.size());
  for (auto& [key, text] : files) writes.push_back(put_gzip(environment.store, key, text));
  co_await async::all(std::move(writes));
}

}  // namespace

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw Error(Code::kInternal, "zlib does not start");
  std::string out(deflateBound(&stream, bytes.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw Error(Code::kInternal, "zlib does not finish");
  return out;
}

std::string gunzip(std::string_view bytes, std::size_t limit) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) throw Error(Code::kInternal, "zlib does not start");
  std::string out;
  std::array<char, 64 * 1024> buffer{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  int result = Z_OK;
  while (result == Z_OK && out.size() <= limit) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    result = inflate(&stream, Z_NO_FLUSH);
    out.append(buffer.data(), buffer.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (result != Z_STREAM_END || out.size() > limit) throw Error(Code::kCorrupt, "not gzip, or longer than its limit");
  return out;
}

std::string backup_folder(const Environment& environment, const std::string& name) {
  return fmt::format("{}{}backups/{}/", environment.prefix, environment.prefix.empty() ? "" : "/", name);
}

std::string restore_folder(const Environment& environment, const std::string& name) {
  return fmt::format("{}{}restores/{}/", environment.prefix, environment.prefix.empty() ? "" : "/", name);
}

std::map<std::string, std::int64_t> Outcome::counts() const {
  std::map<std::string, std::int64_t> out;
  for (const auto& item : items) ++out[std::string(word(item.fate))];
  return out;
}

bool Outcome::complete() const {
  return std::ranges::none_of(items, [](const ItemResult& item) { return item.fate == ItemResult::Fate::kFailed; });
}

Json results_file(const Outcome& outcome) {
  Json errors = Json::object(), warnings = Json::object();
  for (const auto& text : outcome.warnings) warnings["velero"].push_back(text);
  for (const auto& item : outcome.items) {
    if (item.fate == ItemResult::Fate::kFailed || item.fate == ItemResult::Fate::kSkipped) {
      auto& side = item.fate == ItemResult::Fate::kFailed ? errors : warnings;
      const auto line = fmt::format("{}: {}", shown(item), item.detail);
      if (item.ns.empty()) {
        side["cluster"].push_back(line);
      } else {
        side["namespaces"][item.ns].push_back(line);
      }
    }
  }
  return {{"errors", errors}, {"warnings", warnings}};
}

std::string log_text(const Outcome& outcome, Time now) {
  std::string out;
  for (const auto& warning : outcome.warnings)
    out += fmt::format("time=\"{}\" level=warning msg=\"{}\"\n", rfc3339(now), warning);
  for (const auto& item : outcome.items) {
    const auto* level = item.fate == ItemResult::Fate::kFailed ? "error" : "info";
    out += fmt::format("time=\"{}\" level={} msg=\"{} {}{}{}\"\n", rfc3339(now), level, shown(item), word(item.fate),
                       item.detail.empty() ? "" : ": ", item.detail);
  }
  return out;
}

Task<void> write_backup_companions(Environment environment, std::string name, const Outcome* outcome, std::string log) {
  const auto folder = backup_folder(environment, name);
  std::map<std::string, std::string> files;
  files[folder + name + "-logs.gz"] = std::move(log);
  files[folder + name + "-results.gz"] = dump(results_file(*outcome));
  files[folder + name + "-resource-list.json.gz"] = dump(resource_list(*outcome, false));
  files[folder + name + "-podvolumebackups.json.gz"] = dump(Json(environment.pod_volume_backups));
  for (const auto* empty : {"volumesnapshots", "volumeinfo", "itemoperations"}) {
    files[fmt::format("{}{}-{}.json.gz", folder, name, empty)] = "[]";
  }
  return write_all(std::move(environment), std::move(files));
}

Task<void> write_restore_companions(Environment environment, std::string name, const Outcome* outcome,
                                    std::string log) {
  const auto folder = restore_folder(environment, name);
  std::map<std::string, std::string> files;
  files[fmt::format("{}restore-{}-logs.gz", folder, name)] = std::move(log);
  files[fmt::format("{}restore-{}-results.gz", folder, name)] = dump(results_file(*outcome));
  files[fmt::format("{}restore-{}-resource-list.json.gz", folder, name)] = dump(resource_list(*outcome, true));
  files[items_key(environment, name)] = dump(items_of(*outcome));
  files[fmt::format("{}restore-{}-itemoperations.json.gz", folder, name)] = "[]";
  files[fmt::format("{}{}-volumeinfo.json.gz", folder, name)] = "[]";
  return write_all(std::move(environment), std::move(files));
}

Task<Json> read_items(Environment environment, std::string name) {
  constexpr std::size_t kLimit = 256 * 1024 * 1024;
  const auto bytes = co_await blob::read_all(*environment.store, items_key(environment, name));
  if (!bytes) co_return Json();
  co_return parse_json(gunzip(*bytes, kLimit), {.max_depth = 8, .max_bytes = kLimit});
}

}  // namespace mtc::backup
