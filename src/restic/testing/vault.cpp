#include "restic/testing/vault.hpp"

#include <utility>

#include "async/runtime.hpp"
#include "base/error.hpp"
#include "restic/testing/content.hpp"

namespace mtc::restic::testing {
namespace {

constexpr unsigned kThreads = 3;

Task<void> open_and_back_up(blob::StorePtr store, std::string password, BackupOptions options, BackupResult* into) {
  const auto repository = co_await Repository::open(std::move(store), "", Secret(std::move(password)));
  *into = co_await restic::back_up(repository, std::move(options));
}

Task<void> open_and_restore(blob::StorePtr store, std::string password, RestoreOptions options, volume::Report* into) {
  const auto repository = co_await Repository::open(std::move(store), "", Secret(std::move(password)));
  *into = co_await restic::restore(repository, std::move(options));
}

std::string failure_when_run(Task<void> task) {
  auto body = [](Task<void> inner, std::string* failure) -> Task<void> {
    *failure = co_await failure_of(std::move(inner));
  };
  std::string failure;
  async::Runtime(kThreads).run(body(std::move(task), &failure));
  return failure;
}

}  // namespace

Vault::Vault() : store_(blob::make_memory_store()), password_("a password") {
  async::Runtime().run(Repository::create(store_, "", Secret(password_)));
}

Vault::Vault(blob::StorePtr store, std::string password) : store_(std::move(store)), password_(std::move(password)) {}

Vault::BackedUp Vault::back_up(BackupOptions options) const {
  BackedUp out;
  out.failure = failure_when_run(open_and_back_up(store_, password_, std::move(options), &out.result));
  return out;
}

Vault::BackedUp Vault::back_up(const std::string& root) const {
  BackupOptions options;
  options.root = root;
  options.host = "shop/data";
  return back_up(std::move(options));
}

Vault::Restored Vault::restore(RestoreOptions options) const {
  Restored out;
  out.failure = failure_when_run(open_and_restore(store_, password_, std::move(options), &out.report));
  return out;
}

Vault::Restored Vault::restore(const Id& snapshot, const std::string& root) const {
  return restore({.root = root, .snapshot = snapshot, .verify = true});
}

}  // namespace mtc::restic::testing
