#include "restic/testing/content.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/rng.hpp"
#include "json/json.hpp"

namespace mtc::restic::testing {
namespace {

Id put(Repository* repository, std::vector<Sealed>& into, BlobType type, const std::string& plain) {
  const auto id = Id::of(plain);
  if (auto sealed = repository->seal(type, id, plain)) into.push_back(std::move(*sealed));
  return id;
}

Json node(const std::string& name, const std::string& type, unsigned mode) {
  const std::string time = "2024-01-02T03:04:05.123456789Z";
  return {{"name", name},  {"type", type}, {"mode", mode}, {"mtime", time}, {"atime", time},
          {"ctime", time}, {"uid", 0},     {"gid", 0},     {"inode", 1},    {"content", nullptr}};
}

std::string tree_of(Json nodes) {
  Json tree;
  tree["nodes"] = std::move(nodes);
  return dump(tree) + "\n";
}

}  // namespace

Task<Id> store_tree(Repository* repository, std::vector<FileContent> files) {
  std::vector<Sealed> sealed;
  auto folders = Json::array();
  for (std::size_t i = 0; i < files.size(); ++i) {
    auto file = node(files[i].name, "file", 0644);
    file["content"] = Json::array();
    std::size_t size = 0;
    for (const auto& piece : files[i].pieces) {
      file["content"].push_back(put(repository, sealed, BlobType::kData, piece).hex());
      size += piece.size();
    }
    file["size"] = size;
    auto folder = node(fmt::format("{}", i), "dir", 0x800001edU);  // Go's directory bit and 0755
    folder["subtree"] = put(repository, sealed, BlobType::kTree, tree_of(Json::array({file}))).hex();
    folders.push_back(std::move(folder));
  }
  const auto root = put(repository, sealed, BlobType::kTree, tree_of(std::move(folders)));
  co_await repository->add(std::move(sealed));
  co_await repository->flush();
  co_return root;
}

Task<Id> store_snapshot(Repository* repository, std::vector<FileContent> files, Time time, std::string host) {
  Snapshot snapshot;
  snapshot.tree = co_await store_tree(repository, std::move(files));
  snapshot.time = time;
  snapshot.paths = {"/data"};
  snapshot.hostname = std::move(host);
  snapshot.username = "mtc";
  snapshot.program_version = "mtc 0.1.0";
  co_return co_await save_snapshot(*repository, std::move(snapshot));
}

std::string noise(std::size_t size, std::uint64_t seed) {
  SeededRng rng(seed);
  std::string bytes;
  bytes.reserve(size + sizeof(std::uint64_t));
  while (bytes.size() < size) {
    const auto word = rng.next();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  bytes.resize(size);
  return bytes;
}

Task<std::string> failure_of(Task<void> task) {
  try {
    co_await std::move(task);
  } catch (const Error& error) {
    co_return fmt::format("{}: {}", to_string(error.code()), error.what());
  }
  co_return "";
}

}  // namespace mtc::restic::testing
