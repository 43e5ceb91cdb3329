#include "restic/lock.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "async/wait_list.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "json/json.hpp"
#include "restic/files.hpp"
#include "restic/lock_file.hpp"
#include "restic/repository.hpp"

namespace mtc::restic {
namespace {

/// Why the lock cannot be had now; nullopt if it can. Removes what is stale. `own` is left out.
Task<std::optional<std::string>> obstacle(Repository* repository, LockKind kind, LockTimes times,
                                          std::optional<Id> own) {
  auto& files = repository->files();
  for (const auto& file : co_await files.list(FileType::kLock)) {
    if (file.id == own) continue;
    std::optional<LockFile> other;
    std::optional<Error> failure;
    try {
      other = decode_lock(co_await files.load_document(FileType::kLock, file.id));
    } catch (const Error& error) {
      failure = error;
    }
    if (failure && failure->code() == Code::kNotFound) continue;  // Removed meanwhile.
    if (failure && failure->code() != Code::kCorrupt) throw Error(*failure);
    if (failure) {
      // Whoever wrote it may work: that is no harm to those who share.
      if (kind == LockKind::kExclusive) co_return fmt::format("a lock that cannot be read: {}", failure->what());
      continue;
    }
    if (is_stale(*other, repository->clock().now(), times.stale)) {
      log::warn("a stale lock is removed", {{"repository", repository->describe()}, {"holder", describe(*other)}});
      co_await files.remove(FileType::kLock, file.id);
    } else if (kind == LockKind::kExclusive || other->exclusive) {
      co_return describe(*other);
    }
  }
  co_return std::nullopt;
}

Task<Id> write_lock(Repository* repository, LockKind kind) {
  const auto file = lock_of_this_process(kind, repository->clock().now());
  co_return co_await repository->files().save_document(FileType::kLock, encode_lock(file));
}

/// Writes the lock, then looks again: of two that come at once, each sees the other's file, since a store shows what
/// was written before it was listed.
Task<std::optional<Id>> try_once(Repository* repository, LockKind kind, LockTimes times, std::string* holder) {
  auto other = co_await obstacle(repository, kind, times, std::nullopt);
  if (!other) {
    const auto id = co_await write_lock(repository, kind);
    other = co_await obstacle(repository, kind, times, id);
    if (!other) co_return id;
    co_await repository->files().remove(FileType::kLock, id);
  }
  *holder = std::move(*other);
  co_return std::nullopt;
}

Task<Id> acquire(Repository* repository, LockKind kind, Duration patience, LockTimes times) {
  const auto until = std::chrono::steady_clock::now() + patience;
  std::string holder;
  for (;;) {
    if (const auto id = co_await try_once(repository, kind, times, &holder)) co_return *id;
    const Duration left = until - std::chrono::steady_clock::now();
    if (left <= Duration::zero()) {
      throw Error(Code::kConflict, fmt::format("{} is locked by {}", repository->describe(), holder));
    }
    // Two that came at once must not come at once again.
    const auto pause = times.poll + times.poll * static_cast<std::int64_t>(system_rng().below(1000)) / 1000;
    co_await async::sleep_for(std::min(left, pause));
  }
}

/// A lock that is held.
struct Held {
  Repository* repository;
  LockKind kind;
  LockTimes times;
  Id id;
  async::Event over{};         ///< the work has ended
  async::WaitList released{};  ///< woken when the file is removed
  bool is_released = false;
};

/// Writes a new file, then removes the old one. Throws Error(kConflict) if somebody took it away: others may count on
/// our not being there.
Task<void> refresh(Held* held) {
  auto& files = held->repository->files();
  const auto locks = co_await files.list(FileType::kLock);
  if (std::ranges::find(locks, held->id, &FileInfo::id) == locks.end()) {
    throw Error(Code::kConflict, fmt::format("the lock of {} was removed by somebody", held->repository->describe()));
  }
  const auto next = co_await write_lock(held->repository, held->kind);
  co_await files.remove(FileType::kLock, std::exchange(held->id, next));
}

Task<void> keep_fresh(Held* held, async::Scope* work) {
  auto fresh = std::chrono::steady_clock::now();
  auto pause = held->times.refresh;
  while (!co_await held->over.wait_for(pause)) {
    std::optional<Error> failure;
    try {
      co_await async::with_timeout(held->times.refresh, "refreshing the lock", refresh(held));
      fresh = std::chrono::steady_clock::now();
    } catch (const Error& error) {
      failure = error;
    }
    pause = failure ? held->times.refresh / 5 : held->times.refresh;
    if (!failure) continue;
    log::warn("a lock was not refreshed", {{"error", failure->what()}});
    const bool lost = failure->code() == Code::kConflict ||
                      std::chrono::steady_clock::now() - fresh > held->times.stale - 2 * held->times.refresh;
    if (!lost) continue;
    work->cancel();
    throw Error(Code::kConflict, failure->what());
  }
}

/// Keeps the lock until the work is over, then removes it. Not a child of who works, so it goes on when that is
/// cancelled.
Task<void> hold(Held* held, async::Scope* work, std::optional<Error>* lost) {
  try {
    co_await keep_fresh(held, work);
  } catch (const Error& error) {
    *lost = error;
  }
  if (*lost) co_await held->over.wait();
  try {
    constexpr auto kLimit = std::chrono::seconds(20);
    co_await async::with_timeout(kLimit, "removing the lock",
                                 held->repository->files().remove(FileType::kLock, held->id));
  } catch (const Error& error) {  // It becomes stale.
    log::warn("a lock was not removed", {{"error", error.what()}});
  }
  held->is_released = true;
  held->released.wake_all();
}

}  // namespace

Task<void> with_lock(std::shared_ptr<Repository> repository, LockKind kind, Duration patience,
                     std::function<Task<void>()> body, LockTimes times) {
  const auto id = co_await acquire(repository.get(), kind, patience, times);
  Held held{repository.get(), kind, times, id};
  std::optional<Error> lost;
  std::exception_ptr failure;
  auto work = co_await async::Scope::create();
  auto holding = co_await async::Scope::create();
  work.spawn(body());
  holding.spawn(hold(&held, &work, &lost));
  try {
    co_await work.join();
  } catch (...) {  // Rethrown below, when the lock is removed.
    failure = std::current_exception();
  }
  held.over.set();
  while (!held.is_released) co_await held.released.wait(async::WaitList::OnCancel::kKeep);
  try {
    co_await holding.join();
  } catch (...) {  // Our own cancellation, which `failure` tells already, or tells now.
    if (!failure) failure = std::current_exception();
  }
  if (lost) throw Error(*lost);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace mtc::restic
