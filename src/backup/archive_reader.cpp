#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include "async/runtime.hpp"
#include "backup/archive.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"

namespace mtc::backup {
namespace {

constexpr std::size_t kPiece = 256 * 1024;
constexpr std::size_t kLongestPath = 4096;  ///< three names of at most 253 each, and the folders between

/// A file that nobody else can see and that vanishes with the process.
class TemporaryFile {
 public:
  TemporaryFile() {
    const char* folder = std::getenv("TMPDIR");
    descriptor_ = ::open(folder != nullptr && *folder != '\0' ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor_ < 0) throw Error(Code::kUnavailable, fmt::format("no temporary file: {}", std::strerror(errno)));
  }
  ~TemporaryFile() { ::close(descriptor_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void append(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const char*>(data);
    while (size > 0) {
      const auto written = ::pwrite(descriptor_, bytes, size, static_cast<off_t>(length_));
      if (written <= 0) throw Error(Code::kUnavailable, fmt::format("temporary file: {}", std::strerror(errno)));
      bytes += written;
      size -= static_cast<std::size_t>(written);
      length_ += static_cast<std::uint64_t>(written);
    }
  }
  std::string read(std::uint64_t offset, std::uint64_t size) const {
    std::string bytes(size, '\0');
    for (std::uint64_t done = 0; done < size;) {
      const auto got = ::pread(descriptor_, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
      if (got <= 0) throw Error(Code::kUnavailable, fmt::format("temporary file: {}", std::strerror(errno)));
      done += static_cast<std::uint64_t>(got);
    }
    return bytes;
  }
  int descriptor() const { return descriptor_; }
  std::uint64_t length() const { return length_; }

 private:
  int descriptor_ = -1;
  std::uint64_t length_ = 0;
};

/// "resources/<gr>/cluster/<name>.json" or "resources/<gr>/namespaces/<ns>/<name>.json"; nullopt for anything else.
std::optional<ArchivedObject> parse_path(std::string_view path) {
  if (!path.ends_with(".json")) return std::nullopt;
  const auto parts = split(path.substr(0, path.size() - 5), '/');
  for (const auto& part : parts) {
    if (part.empty() || part == "." || part == "..") return std::nullopt;
  }
  if (parts.size() < 4 || parts[0] != "resources") return std::nullopt;
  if (parts[2] == "cluster" && parts.size() == 4) return ArchivedObject{parts[1], "", parts[3]};
  if (parts[2] == "namespaces" && parts.size() == 5) return ArchivedObject{parts[1], parts[3], parts[4]};
  return std::nullopt;
}

}  // namespace

struct Archive::State {
  std::string name;
  TemporaryFile packed;
  TemporaryFile unpacked;
  std::vector<ArchivedObject> objects;

  void unpack(const ArchiveLimits& limits) {
    ::lseek(packed.descriptor(), 0, SEEK_SET);
    const std::unique_ptr<archive, decltype(&archive_read_free)> tar(archive_read_new(), archive_read_free);
    archive_read_support_filter_gzip(tar.get());
    archive_read_support_format_tar(tar.get());
    check(tar.get(), archive_read_open_fd(tar.get(), packed.descriptor(), kPiece));
    std::size_t entries = 0;
    archive_entry* entry = nullptr;
    for (;;) {
      const int result = archive_read_next_header(tar.get(), &entry);
      if (result == ARCHIVE_EOF) return;
      check(tar.get(), result);
      if (++entries > limits.entries)
        throw Error(Code::kCorrupt, fmt::format("{} holds more than {} files", name, limits.entries));
      check_extent(tar.get(), entry, limits);
      const char* path = archive_entry_pathname(entry);
      auto object = path != nullptr && archive_entry_filetype(entry) == AE_IFREG ? parse_path(path) : std::nullopt;
      if (object) unpack_one(tar.get(), std::move(*object), limits);
    }
  }

 private:
  void check(archive* tar, int result) const {
    if (result >= ARCHIVE_WARN) return;
    const char* why = archive_error_string(tar);
    throw Error(Code::kCorrupt, fmt::format("{} is no readable archive{}{}", name, why == nullptr ? "" : ": ",
                                            why == nullptr ? "" : why));
  }

  /// What is passed over is unpacked too, and headers are kept in memory: neither may be without bound.
  void check_extent(archive* tar, archive_entry* entry, const ArchiveLimits& limits) const {
    const char* path = archive_entry_pathname(entry);
    const bool path_fits = path == nullptr || std::strlen(path) <= kLongestPath;
    const bool entry_fits = archive_entry_size(entry) <= static_cast<std::int64_t>(limits.entry_bytes);
    const bool all_fits = archive_filter_bytes(tar, 0) <= static_cast<std::int64_t>(limits.total_bytes);
    if (!path_fits || !entry_fits || !all_fits)
      throw Error(Code::kCorrupt, fmt::format("{} unpacks to more than its limit", name));
  }

  void unpack_one(archive* tar, ArchivedObject object, const ArchiveLimits& limits) {
    object.offset = unpacked.length();
    std::array<char, 64 * 1024> buffer{};
    for (;;) {
      const auto size = archive_read_data(tar, buffer.data(), buffer.size());
      if (size < 0) check(tar, ARCHIVE_FATAL);
      if (size == 0) break;
      object.size += static_cast<std::uint64_t>(size);
      if (object.size > limits.entry_bytes || unpacked.length() + object.size > limits.total_bytes) {
        throw Error(Code::kCorrupt, fmt::format("{} unpacks to more than its limit", name));
      }
      unpacked.append(buffer.data(), static_cast<std::size_t>(size));
    }
    objects.push_back(std::move(object));
  }
};

Archive::Archive() : state_(std::make_unique<State>()) {}
Archive::~Archive() = default;
const std::vector<ArchivedObject>& Archive::objects() const { return state_->objects; }

Task<std::unique_ptr<Archive>> Archive::fetch(blob::Store* store, std::string key, ArchiveLimits limits) {
  std::unique_ptr<Archive> archive(new Archive);
  auto* state = archive->state_.get();
  state->name = key;
  const auto reader = co_await store->open(key);
  if (!reader) throw Error(Code::kNotFound, fmt::format("{} does not exist in {}", key, store->describe()));
  for (auto piece = co_await reader->read(); !piece.empty(); piece = co_await reader->read()) {
    if (state->packed.length() + piece.size() > limits.total_bytes)
      throw Error(Code::kCorrupt, key + " is larger than its limit");
    state->packed.append(piece.data(), piece.size());
  }
  co_await async::offload([state, &limits] { state->unpack(limits); });
  co_return archive;
}

Json Archive::read(const ArchivedObject& object) const {
  try {
    auto json = parse_json(state_->unpacked.read(object.offset, object.size));
    if (json.is_object()) return json;
  } catch (Error& error) {
    throw error.with_context(
        fmt::format("{} {}/{} in {}", object.group_resource, object.ns, object.name, state_->name));
  }
  throw Error(Code::kCorrupt, fmt::format("{} {}/{} in {} is no JSON object", object.group_resource, object.ns,
                                          object.name, state_->name));
}

}  // namespace mtc::backup
