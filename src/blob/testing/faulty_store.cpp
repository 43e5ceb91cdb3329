#include "blob/testing/faulty_store.hpp"

#include <utility>

namespace mtc::blob::testing {
namespace {

using Method = StoreFault::Method;

/// Counts calls; shared by the store with its readers and writers.
class Faults {
 public:
  explicit Faults(std::vector<StoreFault> faults) {
    for (auto& fault : faults) counted_.push_back({std::move(fault), 0});
  }

  void meet(Method method, std::string_view key) {
    for (auto& [fault, seen] : counted_) {
      if (fault.method != method || !key.starts_with(fault.key_prefix)) continue;
      const auto call = seen++;
      if (call >= fault.after && call < fault.after + fault.times) throw fault.error;
    }
  }

 private:
  struct Counted {
    StoreFault fault;
    unsigned seen;
  };
  std::vector<Counted> counted_;
};
using FaultsPtr = std::shared_ptr<Faults>;

class FaultyReader final : public Reader {
 public:
  FaultyReader(std::unique_ptr<Reader> inner, FaultsPtr faults)
      : inner_(std::move(inner)), faults_(std::move(faults)) {}
  Task<std::string_view> read() override {
    faults_->meet(Method::kRead, inner_->info().key);
    co_return co_await inner_->read();
  }
  const ObjectInfo& info() const override { return inner_->info(); }

 private:
  std::unique_ptr<Reader> inner_;
  FaultsPtr faults_;
};

class FaultyWriter final : public Writer {
 public:
  FaultyWriter(std::unique_ptr<Writer> inner, std::string key, FaultsPtr faults)
      : inner_(std::move(inner)), key_(std::move(key)), faults_(std::move(faults)) {}
  Task<void> write(std::string_view data) override {
    faults_->meet(Method::kWrite, key_);
    co_await inner_->write(data);
  }
  Task<ObjectInfo> commit() override {
    faults_->meet(Method::kCommit, key_);
    co_return co_await inner_->commit();
  }
  Task<void> abort() override { return inner_->abort(); }

 private:
  std::unique_ptr<Writer> inner_;
  std::string key_;
  FaultsPtr faults_;
};

class FaultyStore final : public Store {
 public:
  FaultyStore(StorePtr inner, std::vector<StoreFault> faults)
      : inner_(std::move(inner)), faults_(std::make_shared<Faults>(std::move(faults))) {}

  Task<std::optional<ObjectInfo>> head(std::string key) override {
    faults_->meet(Method::kHead, key);
    co_return co_await inner_->head(key);
  }
  Task<std::unique_ptr<Reader>> open(std::string key, Range range) override {
    faults_->meet(Method::kOpen, key);
    auto reader = co_await inner_->open(key, range);
    if (!reader) co_return nullptr;
    co_return std::make_unique<FaultyReader>(std::move(reader), faults_);
  }
  Task<ObjectInfo> put(std::string key, std::string bytes) override {
    faults_->meet(Method::kPut, key);
    co_return co_await inner_->put(key, std::move(bytes));
  }
  Task<std::unique_ptr<Writer>> create(std::string key) override {
    faults_->meet(Method::kCreate, key);
    auto writer = co_await inner_->create(key);
    co_return std::make_unique<FaultyWriter>(std::move(writer), key, faults_);
  }
  Task<ListPage> list(std::string prefix, std::string delimiter, std::string next) override {
    faults_->meet(Method::kList, prefix);
    co_return co_await inner_->list(prefix, std::move(delimiter), std::move(next));
  }
  Task<void> remove(std::string key) override {
    faults_->meet(Method::kRemove, key);
    co_await inner_->remove(key);
  }
  std::string describe() const override { return inner_->describe(); }

 private:
  StorePtr inner_;
  FaultsPtr faults_;
};

}  // namespace

StorePtr faulty(StorePtr inner, std::vector<StoreFault> faults) {
  return std::make_shared<FaultyStore>(std::move(inner), std::move(faults));
}

}  // namespace mtc::blob::testing
