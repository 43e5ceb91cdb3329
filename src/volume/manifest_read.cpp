#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <optional>
#include <utility>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "volume/content_hash.hpp"
#include "volume/file_error.hpp"
#include "volume/manifest.hpp"

namespace mtc::volume {
namespace {

constexpr std::uint64_t kReadAhead = 1024 * 1024;  ///< of larger files the kernel is told that all of it will be read

/// Tasks that read one tree together: each takes the next names in turn.
struct Work {
  explicit Work(const Tree* of) : tree(of), scan(*of) {}
  const Tree* tree;
  Scan scan;
  async::Semaphore turn{1};
};

Task<std::optional<Batch>> take(Work* work) {
  const auto turn = co_await work->turn.acquire();
  co_return co_await async::offload([work] { return work->scan.next(); });
}

Task<void> read_some_batches(Work* work, bool past_cache, Manifest* into, Report* report, Progress* progress) {
  while (auto batch = co_await take(work)) {
    co_await async::offload([&] {
      const auto digests = read_batch(*work->tree, *batch, past_cache);
      into->add(*batch, digests);
    });
    for (const auto& segment : batch->segments) {
      progress->verified += static_cast<std::uint64_t>(
          std::ranges::count(segment.found, Type::kFile, [](const Seen& seen) { return seen.entry.type; }));
    }
    for (auto* problems : {&batch->vanished, &batch->unreadable}) {
      report->failed += problems->size();
      for (auto& problem : *problems) note(report->failures, std::move(problem));
    }
  }
}

/// Looks at a name, and hashes it if it is a file. One that is known for a file is opened first: to ask what is open
/// costs less than to ask for a name.
std::string read_one(int directory, Seen& seen, const std::string& path, bool past_cache) {
  const bool known = seen.kind == DT_REG;
  if (!known) seen = look_at(directory, seen.entry.name, path);
  if (seen.entry.type != Type::kFile) return {};
  const auto file = open_at(directory, seen.entry.name.c_str(), O_RDONLY | O_NONBLOCK);
  if (!file) throw FileError(errno, "open", path);
  if (known) seen = look_at_open(file.get(), seen.entry.name, path);
  if (seen.entry.type != Type::kFile) return {};
  if (past_cache) ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
  if (seen.entry.size > kReadAhead) ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  return content_hash(file.get(), seen.entry.size, path);
}

}  // namespace

Digests read_batch(const Tree& tree, Batch& batch, bool past_cache) {
  Digests digests;
  for (auto& segment : batch.segments) {
    auto& hashes = digests.emplace_back();
    std::vector<Seen> found;
    try {
      const auto directory = tree.open_directory(segment.path);
      const WorkingDirectory here(directory.get());
      found.reserve(segment.found.size());
      for (auto& name : segment.found) {
        const auto path = join_path(segment.path, name.entry.name);
        try {
          auto hash = read_one(directory.get(), name, path, past_cache);
          hashes.push_back(std::move(hash));
          found.push_back(std::move(name));
        } catch (const FileError& failure) {
          note(batch, failure, path);
        }
      }
    } catch (const FileError& failure) {
      note(batch, failure, segment.path);
    }
    segment.found = std::move(found);
  }
  return digests;
}

Task<void> read_manifest(const Tree* tree, std::size_t width, bool past_cache, Manifest* into, Report* report,
                         Progress* progress) {
  Work work(tree);
  std::vector<Task<void>> readers;
  readers.reserve(width);
  for (std::size_t i = 0; i < width; ++i)
    readers.push_back(read_some_batches(&work, past_cache, into, report, progress));
  co_await async::all(std::move(readers));
  into->seal();
}

}  // namespace mtc::volume
