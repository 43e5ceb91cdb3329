#include "restic/snapshot.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "json/json.hpp"
#include "restic/files.hpp"
#include "restic/repository.hpp"

namespace mtc::restic {
namespace {

constexpr std::size_t kAtOnce = 8;

[[noreturn]] void corrupt(std::string_view what) {
  throw Error(Code::kCorrupt, fmt::format("it is no snapshot: {}", what));
}

std::optional<Id> optional_id(const Json& json, std::string_view name) {
  const auto* const value = member(json, name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  auto id = Id::parse(string_at(json, name));
  if (!id) corrupt(fmt::format("its {} is not 64 hex digits", name));
  return id;
}

std::uint32_t owner(const Json& json, std::string_view name) {
  const auto number = int_at(json, name).value_or(0);
  if (number < 0 || number > std::numeric_limits<std::uint32_t>::max()) corrupt(fmt::format("its {} is none", name));
  return static_cast<std::uint32_t>(number);
}

}  // namespace

std::string encode_snapshot(const Snapshot& snapshot) {
  Json json;
  const auto set = [&](const char* name, const std::string& text) {
    if (!text.empty()) json[name] = text;
  };
  json["time"] = rfc3339_micro(snapshot.time);
  if (snapshot.parent) json["parent"] = snapshot.parent->hex();
  json["tree"] = snapshot.tree.hex();
  json["paths"] = snapshot.paths;
  set("hostname", snapshot.hostname);
  set("username", snapshot.username);
  if (snapshot.uid != 0) json["uid"] = snapshot.uid;
  if (snapshot.gid != 0) json["gid"] = snapshot.gid;
  if (!snapshot.tags.empty()) json["tags"] = snapshot.tags;
  if (snapshot.original) json["original"] = snapshot.original->hex();
  set("program_version", snapshot.program_version);
  return dump(json);
}

Snapshot decode_snapshot(const std::string& text) {
  const auto json = parse_json(text, {.max_depth = 32});
  const auto time = parse_rfc3339(string_at(json, "time"));
  if (!time) corrupt("its time is none");
  const auto tree = optional_id(json, "tree");
  if (!tree) corrupt("it has no tree");
  return {.parent = optional_id(json, "parent"),
          .tree = *tree,
          .time = *time,
          .paths = strings_at(json, "paths"),
          .tags = strings_at(json, "tags"),
          .hostname = string_at(json, "hostname"),
          .username = string_at(json, "username"),
          .uid = owner(json, "uid"),
          .gid = owner(json, "gid"),
          .original = optional_id(json, "original"),
          .program_version = string_at(json, "program_version")};
}

Task<Snapshot> load_snapshot(Repository& repository, Id id) {
  const auto text = co_await repository.files().load_document(FileType::kSnapshot, id);
  try {
    auto snapshot = decode_snapshot(text);
    snapshot.id = id;
    co_return snapshot;
  } catch (Error& error) {
    throw error.with_context("read " + repository.files().name_of(FileType::kSnapshot, id));
  }
}

Task<std::vector<Snapshot>> snapshots(Repository& repository) {
  const auto files = co_await repository.files().list(FileType::kSnapshot);
  std::vector<Snapshot> found(files.size());
  auto load = [](Repository* from, Id id, Snapshot* into) -> Task<void> { *into = co_await load_snapshot(*from, id); };
  co_await async::parallel_for(files.size(), kAtOnce,
                               [&](std::size_t i) { return load(&repository, files[i].id, &found[i]); });
  std::ranges::sort(found, {}, [](const Snapshot& snapshot) { return std::pair(snapshot.time, snapshot.id); });
  co_return found;
}

Task<Id> save_snapshot(Repository& repository, Snapshot snapshot) {
  co_return co_await repository.files().save_document(FileType::kSnapshot, encode_snapshot(snapshot));
}

Task<void> remove_snapshot(Repository& repository, Id id) {
  co_await repository.files().remove(FileType::kSnapshot, id);
}

}  // namespace mtc::restic
