#include <map>
#include <utility>

#include "base/encoding.hpp"
#include "base/hash.hpp"
#include "blob/key.hpp"
#include "blob/listing.hpp"
#include "blob/store.hpp"

namespace mtc::blob {
namespace {

struct Stored {
  std::shared_ptr<const std::string> bytes;
  ObjectInfo info;
};

class MemoryReader final : public Reader {
 public:
  MemoryReader(Stored object, std::string_view part) : object_(std::move(object)), part_(part) {}
  Task<std::string_view> read() override { co_return std::exchange(part_, std::string_view{}); }
  const ObjectInfo& info() const override { return object_.info; }

 private:
  Stored object_;
  std::string_view part_;
};

class MemoryStore final : public Store, public std::enable_shared_from_this<MemoryStore> {
 public:
  Task<std::optional<ObjectInfo>> head(std::string key) override {
    check_key(key);
    const auto at = objects_.find(key);
    co_return at == objects_.end() ? std::nullopt : std::optional(at->second.info);
  }

  Task<std::unique_ptr<Reader>> open(std::string key, Range range) override {
    check_key(key);
    const auto at = objects_.find(key);
    if (at == objects_.end()) co_return nullptr;
    const std::string_view whole = *at->second.bytes;
    check_range(key, range, whole.size());
    co_return std::make_unique<MemoryReader>(at->second,
                                             whole.substr(range.offset, range.length.value_or(std::string_view::npos)));
  }

  Task<ObjectInfo> put(std::string key, std::string bytes) override {
    check_key(key);
    Stored stored;
    stored.info = {key, bytes.size(), hex(md5(bytes)), system_clock().now()};
    stored.bytes = std::make_shared<const std::string>(std::move(bytes));
    auto& slot = objects_[std::move(key)];
    slot = std::move(stored);
    co_return slot.info;
  }

  Task<std::unique_ptr<Writer>> create(std::string key) override;

  Task<ListPage> list(std::string prefix, std::string delimiter, std::string next) override {
    Listing listing(std::move(prefix), std::move(delimiter), std::move(next));
    for (auto at = objects_.lower_bound(listing.seek()); at != objects_.end() && listing.add(at->second.info); ++at) {
    }
    co_return listing.take();
  }

  Task<void> remove(std::string key) override {
    check_key(key);
    objects_.erase(key);
    co_return;
  }

  std::string describe() const override { return "memory"; }

 private:
  std::map<std::string, Stored> objects_;
};

class MemoryWriter final : public Writer {
 public:
  MemoryWriter(std::shared_ptr<MemoryStore> store, std::string key) : store_(std::move(store)), key_(std::move(key)) {}
  Task<void> write(std::string_view data) override {
    bytes_ += data;
    co_return;
  }
  Task<ObjectInfo> commit() override { return store_->put(key_, std::move(bytes_)); }
  Task<void> abort() override {
    bytes_.clear();
    co_return;
  }

 private:
  std::shared_ptr<MemoryStore> store_;
  std::string key_;
  std::string bytes_;
};

Task<std::unique_ptr<Writer>> MemoryStore::create(std::string key) {
  check_key(key);
  co_return std::make_unique<MemoryWriter>(shared_from_this(), std::move(key));
}

}  // namespace

StorePtr make_memory_store() { return std::make_shared<MemoryStore>(); }

}  // namespace mtc::blob
