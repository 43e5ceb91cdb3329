#include "mover/repository.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "async/scope.hpp"
#include "base/rng.hpp"
#include "base/strings.hpp"
#include "blob/s3.hpp"
#include "json/json.hpp"
#include "mover/folder.hpp"
#include "restic/lock.hpp"

namespace mtc::mover {
namespace {

using RepositoryPtr = std::shared_ptr<restic::Repository>;

constexpr unsigned kFruitless = 4;  ///< tries in a row that moved nothing
constexpr auto kStore = "store.json";

/// A Secret's value as people write it: the line end that an editor puts there does not belong to it.
std::string value_of(const std::string& folder, const char* name) {
  return std::string(trim(read_mounted(folder, name)));
}

blob::StorePtr s3_store(const Json& store, const std::string& folder, net::PacePtr bytes) {
  blob::S3Options options;
  options.bucket = string_at(store, "bucket");
  if (const auto region = string_at(store, "region"); !region.empty()) options.region = region;
  options.endpoint = string_at(store, "url");
  options.style = options.endpoint.empty() ? blob::AddressingStyle::kVirtualHost : blob::AddressingStyle::kPath;
  options.access_key_id = value_of(folder, "access-key-id");
  options.secret_access_key = Secret(value_of(folder, "secret-access-key"));
  options.ca_pem = find_mounted(folder, "ca.crt").value_or("");
  options.insecure = bool_at(store, "insecureSkipVerify");
  auto direct = net::paced_connector(net::tcp_connector(), std::move(bytes));
  options.connector = net::proxy_connector(net::proxy_from_environment(), std::move(direct));
  return blob::make_s3_store(std::move(options));
}

/// What moves while a run is tried again and again.
class Tries {
 public:
  Tries(const RepositoryAccess& access, const volume::Progress* progress)
      : access_(&access), progress_(progress), since_(std::chrono::steady_clock::now()), moved_(moved()) {}

  /// How long to wait after a failure that may pass; nothing if that was tried long enough.
  std::optional<Duration> pause() {
    const auto now = std::chrono::steady_clock::now();
    if (const auto before = std::exchange(moved_, moved()); before != moved_) {
      since_ = now;
      attempt_ = fruitless_ = 0;
    }
    ++fruitless_;
    if (now - since_ >= access_->patience && fruitless_ >= kFruitless) return std::nullopt;
    return access_->backoff.delay(++attempt_, system_rng());
  }

 private:
  std::uint64_t moved() const { return progress_ != nullptr ? progress_->moved.load() : 0; }

  const RepositoryAccess* access_;
  const volume::Progress* progress_;
  std::chrono::steady_clock::time_point since_;
  std::uint64_t moved_;
  unsigned attempt_ = 0;
  unsigned fruitless_ = 0;
};

Task<void> run_once(const RepositoryAccess* access, restic::LockKind kind,
                    const std::function<Task<void>(RepositoryPtr)>* work) {
  auto repository = co_await restic::Repository::open(access->store, access->prefix, access->password);
  co_await restic::with_lock(repository, kind, access->patience, [&] { return (*work)(repository); });
}

/// Opens and locks the repository for `work`, until it comes through, fails for good, or the store was away too long.
Task<void> run(const RepositoryAccess* access, restic::LockKind kind, const volume::Progress* progress, Say say,
               std::function<Task<void>(RepositoryPtr)> work) {
  Tries tries(*access, progress);
  for (;;) {
    Duration pause{};
    try {
      co_return co_await run_once(access, kind, &work);
    } catch (const Error& error) {
      if (!error.transient()) throw;
      const auto next = tries.pause();
      if (!next) throw;
      say("the repository does not answer, and is tried again: " + std::string(error.what()));
      pause = *next;
    }
    co_await async::sleep_for(pause);  // The back-off of Tries: a store that is down is not flooded.
  }
}

}  // namespace

RepositoryAccess load_repository(const std::string& folder, net::PacePtr bytes) {
  RepositoryAccess access;
  Json store;
  try {
    store = parse_json(read_mounted(folder, kStore));
  } catch (Error& error) {
    if (error.code() == Code::kCorrupt) throw Error(Code::kInvalid, folder + "/" + kStore + ": " + error.message());
    throw;
  }
  access.prefix = string_at(store, "prefix");
  access.password = Secret(value_of(folder, "password"));
  if (const auto directory = string_at(store, "directory"); !directory.empty()) {
    access.store = blob::make_directory_store(directory);
  } else if (!string_at(store, "bucket").empty()) {
    access.store = s3_store(store, folder, std::move(bytes));
  } else {
    throw Error(Code::kInvalid, folder + "/" + kStore + " names neither a bucket nor a directory");
  }
  return access;
}

Task<restic::BackupResult> back_up(RepositoryAccess access, restic::BackupOptions options) {
  restic::BackupResult result;
  auto work = [&](RepositoryPtr repository) {
    return [](RepositoryPtr to, restic::BackupOptions how, restic::BackupResult* into) -> Task<void> {
      *into = co_await restic::back_up(std::move(to), std::move(how));
    }(std::move(repository), options, &result);
  };
  co_await run(&access, restic::LockKind::kShared, options.progress, options.say, work);
  co_return result;
}

Task<volume::Report> restore(RepositoryAccess access, restic::RestoreOptions options, Say say) {
  volume::Report report;
  auto work = [&](RepositoryPtr repository) {
    return [](RepositoryPtr from, restic::RestoreOptions how, volume::Report* into) -> Task<void> {
      *into = co_await restic::restore(std::move(from), std::move(how));
    }(std::move(repository), options, &report);
  };
  co_await run(&access, restic::LockKind::kShared, options.progress, std::move(say), work);
  co_return report;
}

Task<restic::PruneReport> prune(RepositoryAccess access, restic::Keep keep, Say say) {
  restic::PruneReport report;
  auto work = [&](RepositoryPtr repository) {
    return [](RepositoryPtr at, restic::Keep which, restic::PruneReport* into) -> Task<void> {
      *into = co_await restic::forget_and_prune(std::move(at), std::move(which));
    }(std::move(repository), keep, &report);
  };
  co_await run(&access, restic::LockKind::kExclusive, nullptr, std::move(say), work);
  co_return report;
}

}  // namespace mtc::mover
