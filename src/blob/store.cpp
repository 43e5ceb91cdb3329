#include "blob/store.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "blob/key.hpp"

namespace mtc::blob {

void check_key(std::string_view key) {
  const auto refuse = [&](std::string_view why) {
    throw Error(Code::kInvalid, fmt::format("object key \"{}\": {}", key, why));
  };
  if (key.empty() || key.size() > 1024) refuse("must have 1 to 1024 bytes");
  if (key.contains('\0')) refuse("holds a NUL byte");
  for (const auto& segment : split(key, '/')) {
    if (segment == "." || segment == "..") refuse("holds a . or .. segment");
  }
}

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
  if (prefix.empty()) throw Error(Code::kInvalid, "refusing to remove every object of a bucket");
  for (;;) {
    const auto page = co_await store.list(prefix);
    for (const auto& object : page.objects) co_await store.remove(object.key);
    if (page.next.empty()) co_return;
  }
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
  if (bytes != std::string(1, '\0')) throw Error(Code::kCorrupt, "what was written did not come back");
}

Task<void> list_probe(Store* store, std::string key) {
  const auto page = co_await store->list(key);
  if (page.objects.empty()) throw Error(Code::kCorrupt, "what was written is not listed");
}

}  // namespace

Task<void> probe(Store& store, std::string prefix, std::string unique_name) {
  const auto key = prefix.empty() ? unique_name : prefix + "/" + unique_name;
  co_await step("write a test object to " + store.describe(), write_probe(&store, key));
  co_await step("read the test object back from " + store.describe(), read_probe(&store, key));
  co_await step("list " + store.describe(), list_probe(&store, key));
  co_await step("remove the test object from " + store.describe(), store.remove(key));
}

}  // namespace mtc::blob
