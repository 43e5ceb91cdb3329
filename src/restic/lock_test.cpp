#include "restic/lock.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "blob/testing/faulty_store.hpp"
#include "restic/files.hpp"
#include "restic/lock_file.hpp"
#include "restic/repository.hpp"
#include "restic/testing/content.hpp"

namespace mtc::restic {
namespace {

using namespace std::chrono_literals;
using blob::testing::StoreFault;
using ::testing::AllOf;
using testing::failure_of;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using RepositoryPtr = std::shared_ptr<Repository>;

constexpr LockTimes kQuick{.refresh = 5ms, .stale = 30min, .poll = 1ms};

Task<void> nothing() { co_return; }

/// Locks `repository`, says so, and works until told to end.
Task<void> hold_until(RepositoryPtr repository, LockKind kind, async::Event* locked, async::Event* end,
                      LockTimes times = {}) {
  auto body = [](async::Event* tell, async::Event* until) -> Task<void> {
    tell->set();
    co_await until->wait();
  };
  co_await with_lock(repository, kind, 0s, [=] { return body(locked, end); }, times);
}

Task<void> lock(RepositoryPtr repository, LockKind kind, Duration patience = 0s) {
  co_await with_lock(repository, kind, patience, nothing, kQuick);
}

Task<std::size_t> locks(RepositoryPtr repository) {
  co_return (co_await repository->files().list(FileType::kLock)).size();
}

Task<void> put(RepositoryPtr repository, LockFile file) {
  co_await repository->files().save_document(FileType::kLock, encode_lock(file));
}

LockFile ours(bool exclusive) {
  return lock_of_this_process(exclusive ? LockKind::kExclusive : LockKind::kShared, system_clock().now());
}

pid_t ended_process() {
  const auto child = ::fork();
  if (child == 0) ::_exit(0);
  int status = 0;
  ::waitpid(child, &status, 0);
  return child;
}

void run(Task<void> (*body)(RepositoryPtr repository)) {
  auto with = [](Task<void> (*use)(RepositoryPtr)) -> Task<void> {
    const auto store = blob::make_memory_store();
    co_await Repository::create(store, "", Secret("p"));
    co_await use(co_await Repository::open(store, "", Secret("p")));
  };
  async::Runtime().run(with(body));
}

TEST(Lock, IsThereWhileTheWorkRuns) {
  run([](RepositoryPtr repository) -> Task<void> {
    async::Event locked, end;
    auto scope = co_await async::Scope::create();
    scope.spawn(hold_until(repository, LockKind::kShared, &locked, &end));
    co_await locked.wait();
    EXPECT_EQ(co_await locks(repository), 1U);
    EXPECT_EQ(co_await failure_of(lock(repository, LockKind::kShared)), "");
    EXPECT_THAT(co_await failure_of(lock(repository, LockKind::kExclusive)),
                AllOf(StartsWith("Conflict: "), HasSubstr("process " + std::to_string(::getpid()))));
    end.set();
    co_await scope.join();
    EXPECT_EQ(co_await locks(repository), 0U);
    EXPECT_EQ(co_await failure_of(lock(repository, LockKind::kExclusive)), "");
  });
}

TEST(Lock, AnExclusiveOneIsAlone) {
  run([](RepositoryPtr repository) -> Task<void> {
    async::Event locked, end;
    auto scope = co_await async::Scope::create();
    scope.spawn(hold_until(repository, LockKind::kExclusive, &locked, &end));
    co_await locked.wait();
    EXPECT_THAT(co_await failure_of(lock(repository, LockKind::kShared)), StartsWith("Conflict: "));
    EXPECT_THAT(co_await failure_of(lock(repository, LockKind::kExclusive)), StartsWith("Conflict: "));
    scope.spawn(lock(repository, LockKind::kShared, 1h));  // It has patience.
    co_await async::yield();
    end.set();
    co_await scope.join();
    EXPECT_EQ(co_await locks(repository), 0U);
  });
}

TEST(Lock, IsRemovedWhenTheWorkFailsOrIsCancelled) {
  run([](RepositoryPtr repository) -> Task<void> {
    auto failing = [] -> Task<void> {
      co_await async::yield();
      throw Error(Code::kNotFound, "work");
    };
    EXPECT_EQ(co_await failure_of(with_lock(repository, LockKind::kShared, 0s, failing)), "NotFound: work");
    EXPECT_EQ(co_await locks(repository), 0U);
    async::Event locked, never;
    auto scope = co_await async::Scope::create();
    scope.spawn(hold_until(repository, LockKind::kExclusive, &locked, &never));
    co_await locked.wait();
    EXPECT_EQ(co_await locks(repository), 1U);
    co_await scope.cancel_and_join();
    EXPECT_EQ(co_await locks(repository), 0U);
  });
}

TEST(Lock, IsRefreshed) {
  run([](RepositoryPtr repository) -> Task<void> {
    async::Event locked, end;
    auto scope = co_await async::Scope::create();
    scope.spawn(hold_until(repository, LockKind::kShared, &locked, &end, kQuick));
    co_await locked.wait();
    const auto first = (co_await repository->files().list(FileType::kLock)).at(0).id;
    // For a moment there are both: the old one goes after the new one came.
    for (auto now = first; now == first; co_await async::yield()) {
      now = (co_await repository->files().list(FileType::kLock)).back().id;
      if (co_await locks(repository) == 1U) now = (co_await repository->files().list(FileType::kLock)).at(0).id;
    }
    end.set();
    co_await scope.join();
    EXPECT_EQ(co_await locks(repository), 0U);
  });
}

TEST(Lock, WorkEndsWhenItsLockIsTakenAway) {
  run([](RepositoryPtr repository) -> Task<void> {
    async::Event locked, never;
    std::string failure;
    auto scope = co_await async::Scope::create();
    auto work = [](RepositoryPtr on, async::Event* tell, async::Event* until, std::string* out) -> Task<void> {
      *out = co_await failure_of(hold_until(on, LockKind::kExclusive, tell, until, kQuick));
    };
    scope.spawn(work(repository, &locked, &never, &failure));
    co_await locked.wait();
    while (failure.empty()) {
      for (const auto& file : co_await repository->files().list(FileType::kLock)) {
        co_await repository->files().remove(FileType::kLock, file.id);
      }
      co_await async::yield();
    }
    co_await scope.join();
    EXPECT_THAT(failure, AllOf(StartsWith("Conflict: "), HasSubstr("removed by somebody")));
  });
}

TEST(Lock, StaleOnesAreRemoved) {
  run([](RepositoryPtr repository) -> Task<void> {
    auto old = ours(true);
    old.hostname = "elsewhere";
    old.time -= 31min;
    auto dead = ours(true);
    dead.pid = ended_process();
    auto restic = dead;  // A process of the original on this host.
    restic.username = "root";
    for (const auto& file : {old, dead, restic}) co_await put(repository, file);
    EXPECT_EQ(co_await failure_of(lock(repository, LockKind::kExclusive)), "");
    EXPECT_EQ(co_await locks(repository), 0U);
  });
}

TEST(Lock, ThoseThatMayLiveAreNot) {
  run([](RepositoryPtr repository) -> Task<void> {
    auto far = ours(true);
    far.hostname = "elsewhere";
    far.pid = ended_process();
    auto contained = ours(true);  // Of another container with this host's name: its numbers say nothing here.
    contained.username = "mtc in pid:[1]";
    contained.pid = far.pid;
    for (const auto& file : {far, contained, ours(true)}) {
      co_await put(repository, file);
      EXPECT_THAT(co_await failure_of(lock(repository, LockKind::kShared)), StartsWith("Conflict: "));
      EXPECT_EQ(co_await locks(repository), 1U);
      co_await blob::remove_prefix(*repository->files().store(), "locks/");
    }
  });
}

TEST(Lock, OneThatCannotBeReadKeepsAnExclusiveOneOut) {
  run([](RepositoryPtr repository) -> Task<void> {
    co_await repository->files().write(FileType::kLock, Id::of("x"), "x");
    EXPECT_THAT(co_await failure_of(lock(repository, LockKind::kExclusive)), HasSubstr("cannot be read"));
    EXPECT_EQ(co_await failure_of(lock(repository, LockKind::kShared)), "");
  });
}

TEST(Lock, IsGivenUpWhenItCannotBeRefreshed) {
  auto body = []() -> Task<void> {
    const auto store = blob::make_memory_store();
    co_await Repository::create(store, "", Secret("p"));
    const Error gone(Code::kUnavailable, "gone");
    const auto broken = blob::testing::faulty(
        store,
        {{.method = StoreFault::Method::kPut, .error = gone, .key_prefix = "locks/", .after = 1, .times = 1'000'000}});
    const auto repository = co_await Repository::open(broken, "", Secret("p"));
    async::Event locked, never;
    const LockTimes times{.refresh = 2ms, .stale = 20ms, .poll = 1ms};
    EXPECT_THAT(co_await failure_of(hold_until(repository, LockKind::kShared, &locked, &never, times)),
                AllOf(StartsWith("Conflict: "), HasSubstr("gone")));
    EXPECT_EQ(co_await locks(repository), 0U);
  };
  async::Runtime().run(body());
}

}  // namespace
}  // namespace mtc::restic
