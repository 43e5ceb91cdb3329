#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <linux/openat2.h>
#include <memory>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "async/runtime.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"
#include "blob/key.hpp"
#include "blob/listing.hpp"
#include "blob/store.hpp"

namespace mtc::blob {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kPiece = 256 * 1024;
constexpr std::string_view kUnfinished = ".unfinished-";

class File {
 public:
  explicit File(int descriptor = -1) : descriptor_(descriptor) {}
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }
  explicit operator bool() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

[[noreturn]] void fail(std::string_view doing, int error) {
  const auto code = error == EACCES || error == EPERM || error == EROFS ? Code::kForbidden : Code::kUnavailable;
  throw Error(code, fmt::format("{}: {}", doing, std::strerror(error)));
}

/// Opens below `root` and nowhere else: symbolic links cannot lead out (openat2, Linux 5.6).
File open_below(int root, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<__u64>(flags) | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  return File(static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how)));
}

ObjectInfo info_of(const std::string& key, const struct stat& status) {
  const auto modified = Time{} + std::chrono::seconds(status.st_mtim.tv_sec) +
                        std::chrono::duration_cast<Time::duration>(std::chrono::nanoseconds(status.st_mtim.tv_nsec));
  const auto etag = fmt::format("{:x}-{:x}-{:x}", static_cast<std::uint64_t>(status.st_ino), status.st_mtim.tv_sec,
                                status.st_mtim.tv_nsec);
  return {key, static_cast<std::uint64_t>(status.st_size), etag, modified};
}

class FileReader final : public Reader {
 public:
  FileReader(File file, ObjectInfo info, std::uint64_t offset, std::uint64_t length)
      : file_(std::move(file)), info_(std::move(info)), offset_(offset), left_(length) {}

  Task<std::string_view> read() override {
    if (left_ == 0) co_return std::string_view{};
    buffer_.resize(std::min<std::uint64_t>(kPiece, left_));
    const auto size = co_await async::offload(
        [&] { return ::pread(file_.get(), buffer_.data(), buffer_.size(), static_cast<off_t>(offset_)); });
    if (size <= 0) throw Error(Code::kUnavailable, fmt::format("{} became shorter while it was read", info_.key));
    offset_ += static_cast<std::uint64_t>(size);
    left_ -= static_cast<std::uint64_t>(size);
    co_return std::string_view(buffer_).substr(0, static_cast<std::size_t>(size));
  }
  const ObjectInfo& info() const override { return info_; }

 private:
  File file_;
  ObjectInfo info_;
  std::uint64_t offset_, left_;
  std::string buffer_;
};

class DirectoryStore final : public Store {
 public:
  explicit DirectoryStore(std::string folder) : folder_(std::move(folder)) {
    std::error_code failed;
    fs::create_directories(folder_, failed);
    root_ = File(::open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root_) fail("open the folder " + folder_, errno);
  }

  Task<std::optional<ObjectInfo>> head(std::string key) override {
    check_key(key);
    const auto file = open_below(root_.get(), key, O_PATH);
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) co_return std::nullopt;
    co_return info_of(key, status);
  }

  Task<std::unique_ptr<Reader>> open(std::string key, Range range) override {
    check_key(key);
    auto file = open_below(root_.get(), key, O_RDONLY);
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) co_return nullptr;
    auto info = info_of(key, status);
    if (range.offset > info.size || (range.offset == info.size && info.size > 0)) {
      throw Error(Code::kInvalid, "range begins beyond the end of " + key);
    }
    const auto length = std::min(range.length.value_or(info.size), info.size - range.offset);
    co_return std::make_unique<FileReader>(std::move(file), std::move(info), range.offset, length);
  }

  Task<ObjectInfo> put(std::string key, std::string bytes) override {
    auto writer = co_await create(std::move(key));
    co_await writer->write(bytes);
    co_return co_await writer->commit();
  }

  Task<std::unique_ptr<Writer>> create(std::string key) override;

  Task<ListPage> list(std::string prefix, std::string delimiter, std::string next) override {
    Listing listing(prefix, std::move(delimiter), std::move(next));
    const auto keys = co_await async::offload([this] { return all_keys(); });
    for (auto at = std::ranges::lower_bound(keys, listing.seek()); at != keys.end(); ++at) {
      const auto info = co_await head(*at);
      if (info && !listing.add(*info)) break;
    }
    co_return listing.take();
  }

  Task<void> remove(std::string key) override {
    check_key(key);
    if (::unlinkat(root_.get(), key.c_str(), 0) != 0 && errno != ENOENT && errno != ENOTDIR)
      fail("remove " + key, errno);
    co_return;
  }

  std::string describe() const override { return "folder " + folder_; }
  const std::string& folder() const { return folder_; }

 private:
  std::vector<std::string> all_keys() const {
    std::vector<std::string> keys;
    std::error_code failed;
    for (auto at = fs::recursive_directory_iterator(folder_, failed);
         !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
      if (!at->is_regular_file(failed) || at->path().filename().string().starts_with(kUnfinished)) continue;
      keys.push_back(at->path().lexically_relative(folder_).string());
    }
    std::ranges::sort(keys);
    return keys;
  }

  std::string folder_;
  File root_;
};

/// Writes beside the target and renames: readers see the old object or the new one, never a part.
class FileWriter final : public Writer {
 public:
  FileWriter(std::string folder, std::string key) : key_(std::move(key)), target_(fs::path(folder) / key_) {
    std::error_code failed;
    fs::create_directories(target_.parent_path(), failed);
    temporary_ = target_.parent_path() / fmt::format("{}{:016x}", kUnfinished, system_rng().next());
    file_ = File(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!file_) fail("write " + key_, errno);
  }
  ~FileWriter() override {
    if (!committed_) ::unlink(temporary_.c_str());
  }

  Task<void> write(std::string_view data) override {
    co_await async::offload([&] {
      while (!data.empty()) {
        const auto size = ::write(file_.get(), data.data(), data.size());
        if (size < 0) fail("write " + key_, errno);
        data.remove_prefix(static_cast<std::size_t>(size));
      }
    });
  }

  Task<ObjectInfo> commit() override {
    co_return co_await async::offload([&] {
      if (::fsync(file_.get()) != 0) fail("write " + key_, errno);
      struct stat status{};
      ::fstat(file_.get(), &status);
      if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("publish " + key_, errno);
      committed_ = true;
      return info_of(key_, status);
    });
  }

  Task<void> abort() override {
    if (!committed_) ::unlink(temporary_.c_str());
    co_return;
  }

 private:
  std::string key_;
  fs::path target_;
  fs::path temporary_;
  File file_;
  bool committed_ = false;
};

Task<std::unique_ptr<Writer>> DirectoryStore::create(std::string key) {
  check_key(key);
  co_return std::make_unique<FileWriter>(folder_, std::move(key));
}

}  // namespace

StorePtr make_directory_store(std::string folder) { return std::make_shared<DirectoryStore>(std::move(folder)); }

}  // namespace mtc::blob
