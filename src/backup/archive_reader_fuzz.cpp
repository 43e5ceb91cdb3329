#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "async/runtime.hpp"
#include "backup/archive.hpp"
#include "backup/files.hpp"
#include "base/error.hpp"
#include "json/json.hpp"

// Any bytes, plain and gzip'd, read as an archive: Error(kCorrupt), or objects whose names stay in their place, within
// the limits.

namespace mtc::backup {
namespace {

constexpr ArchiveLimits kLimits{.entries = 100, .entry_bytes = 4096, .total_bytes = 1024 * 1024};

bool is_one_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && !name.contains('/') && !name.contains('\0');
}

void check(const Archive& archive) {
  if (archive.objects().size() > kLimits.entries) std::abort();
  for (const auto& object : archive.objects()) {
    if (!is_one_name(object.group_resource) || !is_one_name(object.name)) std::abort();
    if (!object.ns.empty() && !is_one_name(object.ns)) std::abort();
    if (object.size > kLimits.entry_bytes) std::abort();
    try {
      if (!archive.read(object).is_object()) std::abort();
    } catch (const Error& error) {
      if (error.code() != Code::kCorrupt) std::abort();
    }
  }
}

Task<void> fetch(std::string bytes) {
  const auto store = blob::make_memory_store();
  co_await store->put("archive", std::move(bytes));
  try {
    check(*co_await Archive::fetch(store.get(), "archive", kLimits));
  } catch (const Error& error) {
    if (error.code() != Code::kCorrupt) std::abort();
  }
}

}  // namespace
}  // namespace mtc::backup

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static mtc::async::Runtime runtime;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  runtime.run(mtc::backup::fetch(bytes));
  runtime.run(mtc::backup::fetch(mtc::backup::gzip(bytes)));
  return 0;
}
