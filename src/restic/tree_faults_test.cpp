#include <atomic>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "restic/node.hpp"
#include "restic/testing/content.hpp"
#include "restic/testing/vault.hpp"
#include "volume/testing/random_tree.hpp"

// Damage, strangers' trees, and files that do not stand still: never a file with wrong content and a success.

namespace mtc::restic {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::Vault;
using volume::testing::describe;
using volume::testing::Folder;
using volume::testing::random_bytes;
using volume::testing::write_file;

/// A repository in a folder of its own.
struct OnDisk {
  Folder folder;
  Vault vault = made(folder / "repository");

  static Vault made(const std::string& at) {
    auto store = blob::make_directory_store(at);
    async::Runtime().run(Repository::create(store, "", Secret("a password")));
    return {store, "a password"};
  }
  std::vector<fs::path> packs() const {
    std::vector<fs::path> found;
    for (const auto& each : fs::recursive_directory_iterator(folder / "repository/data")) {
      if (each.is_regular_file()) found.push_back(each.path());
    }
    return found;
  }
};

void flip(const fs::path& file, std::uint64_t at) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(at));
  const auto byte = static_cast<char>(stream.get() ^ 1);
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(byte);
}

TEST(TreeFaults, ADamagedPackEndsTheRestoreAndNoFileLooksComplete) {
  const OnDisk disk;
  SeededRng rng(31);
  fs::create_directory(disk.folder / "from");
  for (int i = 0; i < 40; ++i) write_file(disk.folder / fmt::format("from/{}", i), random_bytes(rng, 20'000));
  write_file(disk.folder / "from/large", random_bytes(rng, 6'000'000));
  const auto id = disk.vault.back_up(disk.folder / "from").id();
  for (const auto& pack : disk.packs()) {
    const auto at = rng.below(fs::file_size(pack) - 200);
    flip(pack, at);
    const Folder to;
    const auto restored = disk.vault.restore(id, to / "to");
    EXPECT_THAT(restored.failure, StartsWith("Corrupt")) << pack << " at " << at;
    const auto wanted = describe(disk.folder / "from");
    for (const auto& [path, is] : describe(to / "to")) {
      const auto found = wanted.find(path);
      const bool whole = found != wanted.end() && found->second == is;
      if (whole || !fs::is_regular_file(to / ("to" + path))) continue;
      const auto time = fs::last_write_time(to / ("to" + path));
      EXPECT_TRUE(found == wanted.end() || time != fs::last_write_time(disk.folder / ("from" + path))) << path;
    }
    flip(pack, at);
  }
  EXPECT_TRUE(disk.vault.restore(id, disk.folder / "to").report.complete());
}

TEST(TreeFaults, AMissingPackEndsTheRestore) {
  const OnDisk disk;
  fs::create_directory(disk.folder / "from");
  write_file(disk.folder / "from/file", "content");
  const auto id = disk.vault.back_up(disk.folder / "from").id();
  for (const auto& pack : disk.packs()) fs::remove(pack);
  EXPECT_NE(disk.vault.restore(id, disk.folder / "to").failure, "");
  EXPECT_FALSE(fs::exists(disk.folder / "to/file"));
}

TEST(TreeFaults, ABackupReadsAgainWhatTheParentHasAndTheRepositoryLost) {
  const OnDisk disk;
  fs::create_directory(disk.folder / "from");
  write_file(disk.folder / "from/file", "content");
  ASSERT_EQ(disk.vault.back_up(disk.folder / "from").failure, "");
  for (const auto& index : fs::directory_iterator(disk.folder / "repository/index")) fs::remove(index.path());
  for (const auto& pack : disk.packs()) fs::remove(pack);
  const auto again = disk.vault.back_up(disk.folder / "from");
  ASSERT_EQ(again.failure, "");
  EXPECT_EQ(again.result.report.files, 1U);
  EXPECT_TRUE(disk.vault.restore(again.id(), disk.folder / "to").report.complete());
}

/// A repository whose newest snapshot has `json` for its root's tree.
Id snapshot_with(const Vault& vault, std::string json) {
  auto body = [](const Vault* at, std::string tree, Id* into) -> Task<void> {
    const auto repository = co_await Repository::open(at->store(), "", Secret("a password"));
    co_await repository->load_index();
    Snapshot snapshot;
    snapshot.tree = Id::of(tree);
    std::vector<Sealed> blobs;
    if (auto sealed = repository->seal(BlobType::kTree, snapshot.tree, tree)) blobs.push_back(std::move(*sealed));
    co_await repository->add(std::move(blobs));
    co_await repository->flush();
    snapshot.paths = {"/"};
    *into = co_await save_snapshot(*repository, snapshot);
  };
  Id id;
  async::Runtime().run(body(&vault, std::move(json), &id));
  return id;
}

TEST(TreeFaults, ATreeOfAStrangerDoesNotLeaveTheRoot) {
  const Vault vault;
  const Folder folder;
  write_file(folder / "outside", "mine");
  const auto file = [](std::string_view name) {
    return fmt::format(R"({{"nodes":[{{"name":"{}","type":"file","mode":420,"size":0,"content":[]}}]}})", name);
  };
  for (const auto* name : {"../outside", "..", ".", "", "a/b", "/outside", "a\\\\x00", "a\\\\x2fb"}) {
    const auto restored = vault.restore(snapshot_with(vault, file(name)), folder / "to");
    EXPECT_THAT(restored.failure, AllOf(StartsWith("Corrupt"), HasSubstr("impossible name"))) << name;
  }
  EXPECT_TRUE(fs::is_empty(folder / "to"));
}

TEST(TreeFaults, ALinkInTheWayIsReplacedAndNotFollowed) {
  const Vault vault;
  const Folder folder;
  fs::create_directories(folder / "from/sub");
  fs::create_directory(folder / "outside");
  fs::create_directory(folder / "to");
  write_file(folder / "from/sub/file", "content");
  fs::create_directory_symlink(folder / "outside", folder / "to/sub");
  EXPECT_TRUE(vault.restore(vault.back_up(folder / "from").id(), folder / "to").report.complete());
  EXPECT_TRUE(fs::is_empty(folder / "outside"));
  EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
}

TEST(TreeFaults, ASizeThatTheContentDoesNotHaveIsDamage) {
  const Vault vault;
  const Folder folder;
  const auto id = snapshot_with(
      vault, R"({"nodes":[{"name":"huge","type":"file","mode":420,"size":9000000000000000,"content":[]}]})");
  EXPECT_THAT(vault.restore(id, folder / "to").failure, AllOf(StartsWith("Corrupt"), HasSubstr("huge")));
  EXPECT_TRUE(fs::is_empty(folder / "to"));
}

/// Writes to a file as long as it lives.
class Restless {
 public:
  explicit Restless(std::string path) : path_(std::move(path)), thread_([this] { run(); }) {}
  ~Restless() {
    stop_ = true;
    thread_.join();
  }

 private:
  void run() {
    for (unsigned i = 0; !stop_; ++i) std::ofstream(path_, std::ios::app) << i;
  }
  std::string path_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

TEST(TreeFaults, AFileThatDoesNotStandStillIsListedByARehearsalAndFailsACutover) {
  const Vault vault;
  const Folder folder;
  fs::create_directory(folder / "from");
  write_file(folder / "from/log", std::string(6'000'000, 'x'));
  write_file(folder / "from/still", "content");
  BackupOptions options;
  options.root = folder / "from";
  options.host = "shop/data";
  const Restless restless(folder / "from/log");
  const auto cutover = vault.back_up(options);
  EXPECT_EQ(cutover.failure, "");
  EXPECT_FALSE(cutover.result.snapshot.has_value());
  EXPECT_EQ(cutover.result.report.changed_count, 1U);
  options.lenient = true;
  const auto rehearsal = vault.back_up(options);
  ASSERT_TRUE(rehearsal.result.snapshot.has_value());
  ASSERT_EQ(rehearsal.result.report.changed.size(), 1U);
  EXPECT_EQ(rehearsal.result.report.changed[0].path, "log");
  EXPECT_TRUE(vault.restore(rehearsal.id(), folder / "to").report.complete()) << "what was read is whole";
}

TEST(TreeFaults, AFileThatCannotBeReadFailsARehearsalToo) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  const Vault vault;
  const Folder folder;
  fs::create_directory(folder / "from");
  write_file(folder / "from/secret", "content");
  ::chmod((folder / "from/secret").c_str(), 0);
  BackupOptions options;
  options.root = folder / "from";
  options.lenient = true;
  const auto backup = vault.back_up(options);
  EXPECT_FALSE(backup.result.snapshot.has_value());
  EXPECT_EQ(backup.result.report.failed, 1U);
}

}  // namespace
}  // namespace mtc::restic
