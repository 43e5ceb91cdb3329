#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "async/runtime.hpp"
#include "base/error.hpp"
#include "blob/folder.hpp"
#include "blob/key.hpp"
#include "blob/listing.hpp"
#include "blob/store.hpp"

namespace mtc::blob {
namespace {

constexpr std::size_t kPiece = 256 * 1024;

class FileReader final : public Reader {
 public:
  FileReader(File file, ObjectInfo info, std::uint64_t offset, std::uint64_t length)
      : file_(std::move(file)), info_(std::move(info)), offset_(offset), left_(length) {}

  Task<std::string_view> read() override {
    if (left_ == 0) co_return std::string_view{};
    buffer_.resize(std::min<std::uint64_t>(kPiece, left_));
    const auto size = co_await async::offload([this] { return read_some(); });
    offset_ += size;
    left_ -= size;
    co_return std::string_view(buffer_).substr(0, size);
  }
  const ObjectInfo& info() const override { return info_; }

 private:
  std::size_t read_some() {
    const auto size = ::pread(file_.get(), buffer_.data(), buffer_.size(), static_cast<off_t>(offset_));
    if (size > 0) return static_cast<std::size_t>(size);
    throw Error(Code::kUnavailable,
                fmt::format("read {}: {}", info_.key,
                            size == 0 ? "it became shorter meanwhile" : std::system_category().message(errno)));
  }

  File file_;
  ObjectInfo info_;
  std::uint64_t offset_, left_;
  std::string buffer_;
};

/// Writes to a file without a name and gives it its name at the end: readers see the old object or the new one.
class FileWriter final : public Writer {
 public:
  FileWriter(std::shared_ptr<const Folder> folder, std::string key, Folder::Unfinished unfinished)
      : folder_(std::move(folder)), key_(std::move(key)), unfinished_(std::move(unfinished)) {}
  ~FileWriter() override { folder_->discard(unfinished_); }

  Task<void> write(std::string_view data) override {
    co_await async::offload([this, data] { write_all(data); });
  }
  Task<ObjectInfo> commit() override {
    co_return co_await async::offload([this] { return folder_->publish(unfinished_, key_); });
  }
  Task<void> abort() override {
    folder_->discard(std::exchange(unfinished_, {}));
    co_return;
  }

 private:
  void write_all(std::string_view data) {
    while (!data.empty()) {
      const auto size = ::write(unfinished_.file.get(), data.data(), data.size());
      if (size < 0) {
        throw Error(
            errno == ENOSPC || errno == EDQUOT ? Code::kForbidden : Code::kUnavailable,
            fmt::format("write {} in the folder {}: {}", key_, folder_->path(), std::system_category().message(errno)));
      }
      data.remove_prefix(static_cast<std::size_t>(size));
    }
  }

  std::shared_ptr<const Folder> folder_;
  std::string key_;
  Folder::Unfinished unfinished_;
};

class DirectoryStore final : public Store {
 public:
  explicit DirectoryStore(std::string path) : folder_(std::make_shared<const Folder>(std::move(path))) {}

  Task<std::optional<ObjectInfo>> head(std::string key) override {
    check_key(key);
    auto [file, info] = co_await async::offload([this, key] { return folder_->open(key); });
    if (!file) co_return std::nullopt;
    co_return std::move(info);
  }

  Task<std::unique_ptr<Reader>> open(std::string key, Range range) override {
    check_key(key);
    auto [file, info] = co_await async::offload([this, key] { return folder_->open(key); });
    if (!file) co_return nullptr;
    check_range(key, range, info.size);
    const auto length = std::min(range.length.value_or(info.size), info.size - range.offset);
    co_return std::make_unique<FileReader>(std::move(file), std::move(info), range.offset, length);
  }

  Task<ObjectInfo> put(std::string key, std::string bytes) override {
    const auto writer = co_await create(std::move(key));
    co_await writer->write(bytes);
    co_return co_await writer->commit();
  }

  Task<std::unique_ptr<Writer>> create(std::string key) override {
    check_key(key);
    auto unfinished = co_await async::offload([this, key] { return folder_->begin(key); });
    co_return std::make_unique<FileWriter>(folder_, std::move(key), std::move(unfinished));
  }

  Task<ListPage> list(std::string prefix, std::string delimiter, std::string next) override {
    Listing listing(std::move(prefix), std::move(delimiter), std::move(next));
    co_await async::offload([this, &listing] {
      folder_->walk([&](std::string_view beginning) { return listing.wants(beginning); },
                    [&](const ObjectInfo& object) { return listing.add(object); });
    });
    co_return listing.take();
  }

  Task<void> remove(std::string key) override {
    check_key(key);
    co_await async::offload([this, key] { folder_->remove(key); });
  }

  std::string describe() const override { return "folder " + folder_->path(); }

 private:
  std::shared_ptr<const Folder> folder_;
};

}  // namespace

StorePtr make_directory_store(std::string folder) { return std::make_shared<DirectoryStore>(std::move(folder)); }

}  // namespace mtc::blob
