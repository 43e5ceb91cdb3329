#include "blob/store.hpp"

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/error.hpp"

namespace mtc::blob {

Task<std::optional<std::string>> read_all(Store& store, std::string key, std::uint64_t limit) {
  const auto reader = co_await store.open(key);
  if (!reader) co_return std::nullopt;
  std::string all;
  for (auto piece = co_await reader->read(); !piece.empty(); piece = co_await reader->read()) {
    if (all.size() + piece.size() > limit) {
      throw Error(Code::kCorrupt, fmt::format("{} of {} is longer than {} bytes", key, store.describe(), limit));
    }
    all += piece;
  }
  co_return all;
}

Task<void> remove_prefix(Store& store, std::string prefix) {
  if (prefix.empty()) throw Error(Code::kInvalid, "refusing to remove every object of " + store.describe());
  constexpr std::size_t kAtOnce = 8;
  // Going on from page to page ends even if the store keeps what it says it removed (object lock, versions).
  std::string next;
  do {
    const auto page = co_await store.list(prefix, "", next);
    co_await async::parallel_for(page.objects.size(), kAtOnce,
                                 [&](std::size_t i) { return store.remove(page.objects[i].key); });
    next = page.next;
  } while (!next.empty());
}

namespace {

/// Runs one step of the probe; its failure says which step it was.
Task<void> step(std::string what, Task<void> work) {
  std::optional<Error> failure;
  try {
    co_await std::move(work);
  } catch (const Error& error) {
    failure = error;
  }
  if (failure) throw failure->with_context(what);
}

Task<void> write_probe(Store* store, std::string key) { co_await store->put(key, std::string(1, '\0')); }

Task<void> read_probe(Store* store, std::string key) {
  const auto bytes = co_await read_all(*store, key, 1024);
  if (bytes == std::string(1, '\0')) co_return;
  throw Error(Code::kCorrupt, fmt::format("what was written to {} did not come back: does something (a cache, a "
                                          "lifecycle rule) change its objects?",
                                          store->describe()));
}

Task<void> list_probe(Store* store, std::string key) {
  const auto page = co_await store->list(key);
  if (!page.objects.empty() && page.objects.front().key == key) co_return;
  throw Error(Code::kCorrupt, fmt::format("{} does not list what was written to it", store->describe()));
}

}  // namespace

Task<void> probe(Store& store, std::string prefix, std::string unique_name) {
  const auto key = prefix.empty() ? unique_name : prefix + "/" + unique_name;
  co_await step("try to write", write_probe(&store, key));
  co_await step("try to read back", read_probe(&store, key));
  co_await step("try to list", list_probe(&store, key));
  co_await step("try to remove", store.remove(key));
}

}  // namespace mtc::blob
