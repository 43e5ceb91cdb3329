#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "restic/testing/vault.hpp"
#include "volume/destination.hpp"
#include "volume/testing/random_tree.hpp"

// Trees into a repository and back.

namespace mtc::restic {
namespace {

namespace fs = std::filesystem;
using testing::Vault;
using volume::testing::describe;
using volume::testing::Folder;
using volume::testing::make_random_tree;
using volume::testing::random_bytes;
using volume::testing::write_file;

constexpr std::size_t kMiB = 1024UZ * 1024;

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Trees, ComeBackAsTheyWere) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const Vault vault;
    const Folder folder;
    SeededRng rng(seed);
    make_random_tree(folder / "from", rng);
    const auto backup = vault.back_up(folder / "from");
    ASSERT_EQ(backup.failure, "");
    EXPECT_TRUE(backup.result.report.complete());
    const auto restored = vault.restore(backup.id(), folder / "to");
    EXPECT_EQ(restored.failure, "");
    EXPECT_TRUE(restored.report.complete()) << seed;
    EXPECT_TRUE(restored.report.verified);
    EXPECT_EQ(restored.report.entries, backup.result.report.entries);
    EXPECT_EQ(describe(folder / "to"), describe(folder / "from")) << seed;
  }
}

TEST(Trees, BecomeAnotherTreeEntirely) {
  const Vault vault;
  const Folder folder;
  SeededRng rng(7);
  make_random_tree(folder / "from", rng);
  make_random_tree(folder / "to", rng);
  const auto restored = vault.restore(vault.back_up(folder / "from").id(), folder / "to");
  EXPECT_TRUE(restored.report.complete()) << restored.failure;
  EXPECT_GT(restored.report.deleted, 0U);
  EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
}

TEST(Trees, AreReadAtThePaceThatWasAskedFor) {
  const Vault vault;
  const Folder folder;
  fs::create_directory(folder / "from");
  for (int i = 0; i < 20; ++i) write_file(folder / fmt::format("from/{}", i), fmt::format("{}", i));
  SeededRng rng(9);
  write_file(folder / "from/large", random_bytes(rng, 20 * kMiB));
  volume::ReadPace reads;
  reads.set(40);
  const auto begin = std::chrono::steady_clock::now();
  BackupOptions options;
  options.root = folder / "from";
  options.reads = &reads;
  EXPECT_TRUE(vault.back_up(options).result.report.complete());
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(900));
}

TEST(Trees, KeepWhatTheirRootIs) {
  const Vault vault;
  const Folder folder;
  fs::create_directory(folder / "from");
  ::chmod((folder / "from").c_str(), 02751);
  const auto backup = vault.back_up(folder / "from");
  EXPECT_TRUE(vault.restore(backup.id(), folder / "to").report.complete());
  struct stat from{};
  struct stat to{};
  ::stat((folder / "from").c_str(), &from);
  ::stat((folder / "to").c_str(), &to);
  EXPECT_EQ(to.st_mode, from.st_mode);
  EXPECT_EQ(to.st_mtim.tv_nsec, from.st_mtim.tv_nsec);
}

TEST(Trees, ARestoreOverTheSameTreeMovesNothing) {
  const Vault vault;
  const Folder folder;
  SeededRng rng(8);
  make_random_tree(folder / "from", rng, 30);
  const auto id = vault.back_up(folder / "from").id();
  const auto first = vault.restore(id, folder / "to");
  EXPECT_GT(first.report.files, 0U);
  const auto second = vault.restore(id, folder / "to");
  EXPECT_EQ(second.report.files, 0U);
  EXPECT_EQ(second.report.deleted, 0U);
  EXPECT_EQ(second.report.skipped, first.report.files);
}

TEST(Trees, ABackupOfTheSameTreeIsTheSameTree) {
  const Vault vault;
  const Folder folder;
  SeededRng rng(9);
  make_random_tree(folder / "from", rng, 30);
  const auto first = vault.back_up(folder / "from");
  const auto second = vault.back_up(folder / "from");
  ASSERT_EQ(second.failure, "");
  EXPECT_EQ(second.result.snapshot->tree, first.result.snapshot->tree);
  EXPECT_EQ(second.result.snapshot->parent, first.id());
}

TEST(Trees, ALargeDirectoryComesInParts) {
  const Vault vault;
  const Folder folder;
  fs::create_directories(folder / "from/all");
  fs::create_directories(folder / "to/all");
  for (int i = 0; i < 3000; ++i) write_file(folder / fmt::format("from/all/{}", i), std::to_string(i));
  for (int i = 0; i < 3000; i += 7) write_file(folder / fmt::format("to/all/{}x", i), "extra");
  for (int i = 0; i < 700; ++i) fs::create_directory(folder / fmt::format("from/all/{}d", i));
  const auto restored = vault.restore(vault.back_up(folder / "from").id(), folder / "to");
  EXPECT_EQ(restored.report.deleted, 429U);
  EXPECT_TRUE(restored.report.complete()) << restored.failure;
  EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
}

TEST(Trees, OneChangedByteOfALargeFileIsOneBlob) {
  const Vault vault;
  const Folder folder;
  SeededRng rng(10);
  fs::create_directory(folder / "from");
  auto bytes = random_bytes(rng, 20 * kMiB + 77);
  write_file(folder / "from/database", bytes);
  const auto before = vault.back_up(folder / "from");
  EXPECT_TRUE(vault.restore(before.id(), folder / "to").report.complete());
  bytes[10 * kMiB] ^= 1;
  write_file(folder / "from/database", bytes);
  const auto after = vault.back_up(folder / "from");
  const auto restored = vault.restore(after.id(), folder / "to");
  EXPECT_TRUE(restored.report.complete());
  EXPECT_LE(restored.report.bytes, 8 * kMiB) << "of 20: the rest was there";
  EXPECT_EQ(slurp(folder / "to/database"), bytes);
  EXPECT_TRUE(vault.restore(before.id(), folder / "to").report.complete());
  bytes[10 * kMiB] ^= 1;
  EXPECT_EQ(slurp(folder / "to/database"), bytes);
}

TEST(Trees, ARestoreGoesOnWithAPartOfALargeFile) {
  const Vault vault;
  const Folder folder;
  SeededRng rng(11);
  fs::create_directory(folder / "from");
  fs::create_directory(folder / "to");
  const auto bytes = random_bytes(rng, 24 * kMiB);
  write_file(folder / "from/database", bytes);
  const auto part = volume::part_name("database");
  write_file(folder / ("to/" + part), std::string_view(bytes).substr(0, 15 * kMiB + 9));
  write_file(folder / ("to/" + volume::part_name("forgotten")), "left by a run of the past");
  const auto restored = vault.restore(vault.back_up(folder / "from").id(), folder / "to");
  EXPECT_TRUE(restored.report.complete()) << restored.failure;
  EXPECT_LT(restored.report.bytes, 18 * kMiB);
  EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
}

TEST(Trees, ZerosBecomeHoles) {
  const Vault vault;
  const Folder folder;
  fs::create_directory(folder / "from");
  write_file(folder / "from/image", "head");
  fs::resize_file(folder / "from/image", 64 * kMiB);
  const auto restored = vault.restore(vault.back_up(folder / "from").id(), folder / "to");
  EXPECT_TRUE(restored.report.complete()) << restored.failure;
  EXPECT_EQ(fs::file_size(folder / "to/image"), 64 * kMiB);
  struct stat is{};
  ::stat((folder / "to/image").c_str(), &is);
  EXPECT_LT(is.st_blocks * 512, 1 << 20);
}

TEST(Trees, AnEmptyVolumeIsATree) {
  const Vault vault;
  const Folder folder;
  fs::create_directory(folder / "from");
  fs::create_directories(folder / "to/extra/deep");
  const auto restored = vault.restore(vault.back_up(folder / "from").id(), folder / "to");
  EXPECT_TRUE(restored.report.complete()) << restored.failure;
  EXPECT_EQ(restored.report.deleted, 2U);
  EXPECT_TRUE(fs::is_empty(folder / "to"));
}

TEST(Trees, LostAndFoundIsLeftAlone) {
  const Vault vault;
  const Folder folder;
  fs::create_directories(folder / "from/lost+found/inner");
  fs::create_directories(folder / "from/deep/lost+found");
  fs::create_directories(folder / "to/lost+found");
  write_file(folder / "to/lost+found/mine", "mine");
  const auto backup = vault.back_up(folder / "from");
  ASSERT_EQ(backup.result.report.losses.size(), 1U);
  EXPECT_EQ(backup.result.report.losses[0].path, "lost+found");
  EXPECT_TRUE(vault.restore(backup.id(), folder / "to").report.complete());
  EXPECT_TRUE(fs::exists(folder / "to/lost+found/mine"));
  EXPECT_FALSE(fs::exists(folder / "to/lost+found/inner"));
  EXPECT_TRUE(fs::exists(folder / "to/deep/lost+found"));
}

TEST(Trees, ContentIsComparedWhenAsked) {
  const Vault vault;
  const Folder folder;
  fs::create_directory(folder / "from");
  write_file(folder / "from/same", "12345");
  write_file(folder / "from/other", "12345");
  const auto id = vault.back_up(folder / "from").id();
  vault.restore(id, folder / "to");
  const auto time = fs::last_write_time(folder / "to/other");
  write_file(folder / "to/other", "12346");
  fs::last_write_time(folder / "to/other", time);
  const auto trusting = vault.restore(id, folder / "to");
  EXPECT_EQ(trusting.report.files, 0U);
  ASSERT_EQ(trusting.report.differences.size(), 1U) << "verification does not trust";
  EXPECT_EQ(trusting.report.differences[0].path, "other");
  EXPECT_EQ(trusting.report.differences[0].what, "content");
  EXPECT_FALSE(trusting.report.complete());
  const auto comparing = vault.restore({.root = folder / "to", .snapshot = id, .by_hash = true, .verify = true});
  EXPECT_EQ(comparing.report.files, 1U);
  EXPECT_TRUE(comparing.report.complete());
  EXPECT_EQ(slurp(folder / "to/other"), "12345");
}

TEST(Trees, FilesThatWereOneBecomeTwoAgain) {
  const Vault vault;
  const Folder folder;
  fs::create_directory(folder / "from");
  write_file(folder / "from/a", "12345");
  fs::create_hard_link(folder / "from/a", folder / "from/b");
  EXPECT_TRUE(vault.restore(vault.back_up(folder / "from").id(), folder / "to").report.complete());
  EXPECT_EQ(fs::hard_link_count(folder / "to/a"), 2U);
  const auto time = fs::last_write_time(folder / "from/a");
  fs::remove(folder / "from/b");
  write_file(folder / "from/b", "54321");
  fs::last_write_time(folder / "from/b", time);
  EXPECT_TRUE(vault.restore(vault.back_up(folder / "from").id(), folder / "to").report.complete());
  EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
}

TEST(Trees, VerificationNamesWhatIsExtraAndWhatIsAnotherFile) {
  const Vault vault;
  const Folder folder;
  fs::create_directories(folder / "from/sub");
  write_file(folder / "from/a", "content");
  write_file(folder / "from/b", "content");
  const auto backup = vault.back_up(folder / "from");
  vault.restore(backup.id(), folder / "to");
  fs::create_directory(folder / "to/sub/unasked");
  fs::remove(folder / "to/b");
  fs::create_hard_link(folder / "to/a", folder / "to/b");
  volume::Report report;
  auto check = [](const Vault* from, Snapshot snapshot, std::string root, volume::Report* into) -> Task<void> {
    const auto repository = co_await Repository::open(from->store(), "", Secret("a password"));
    co_await repository->load_index();
    co_await verify(repository, std::move(snapshot), {.root = std::move(root)}, into);
  };
  async::Runtime().run(check(&vault, *backup.result.snapshot, folder / "to", &report));
  std::vector<std::string> said;
  said.reserve(report.differences.size());
  for (const auto& each : report.differences) said.push_back(each.path + ": " + each.what);
  EXPECT_THAT(said, ::testing::IsSupersetOf({"sub/unasked: extra", "b: hard link"}));
}

}  // namespace
}  // namespace mtc::restic
