#include <cstdio>
#include <filesystem>
#include <fstream>
#include <linux/fs.h>
#include <sys/stat.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "volume/attributes.hpp"
#include "volume/destination.hpp"
#include "volume/file_error.hpp"
#include "volume/testing/copy.hpp"
#include "volume/testing/flagged.hpp"
#include "volume/testing/random_tree.hpp"

namespace mtc::volume {
namespace {

namespace fs = std::filesystem;
using testing::copy;
using testing::describe;
using testing::Folder;
using testing::make_random_tree;
using testing::random_bytes;
using testing::write_file;

constexpr Wishes kMirror{.remove_extras = true, .by_hash = false, .verify = false};
constexpr Wishes kProof{.remove_extras = true, .by_hash = false, .verify = true};

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Volume, ArrivesAsItWas) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Folder folder;
    SeededRng rng(seed);
    make_random_tree(folder / "from", rng);
    const auto done = copy(folder / "from", folder / "to", kProof, {}, 3);
    EXPECT_EQ(done.send_failure, "");
    EXPECT_EQ(done.receive_failure, "");
    EXPECT_TRUE(done.report.complete()) << seed;
    EXPECT_TRUE(done.received.complete()) << seed;
    EXPECT_EQ(done.report.source_root.size(), 32U);
    EXPECT_EQ(describe(folder / "to"), describe(folder / "from")) << seed;
  }
}

TEST(Volume, BecomesAnotherTreeEntirely) {
  Folder folder;
  SeededRng rng(7);
  make_random_tree(folder / "from", rng);
  make_random_tree(folder / "to", rng);
  const auto done = copy(folder / "from", folder / "to", kProof);
  EXPECT_TRUE(done.report.complete()) << done.send_failure;
  EXPECT_GT(done.report.deleted, 0U);
  EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
}

TEST(Volume, ASecondRunMovesNothing) {
  Folder folder;
  SeededRng rng(8);
  make_random_tree(folder / "from", rng, 30);
  const auto first = copy(folder / "from", folder / "to", kMirror);
  EXPECT_GT(first.report.files, 0U);
  const auto second = copy(folder / "from", folder / "to", kMirror);
  EXPECT_EQ(second.report.files, 0U);
  EXPECT_EQ(second.report.bytes, 0U);
  EXPECT_EQ(second.report.deleted, 0U);
  EXPECT_EQ(second.report.skipped, first.report.files);
}

TEST(Volume, MovesOnlyWhatChanged) {
  Folder folder;
  fs::create_directory(folder / "from");
  for (int i = 0; i < 300; ++i) write_file(folder / fmt::format("from/{}", i), "content");
  copy(folder / "from", folder / "to");
  for (int i = 0; i < 3; ++i) write_file(folder / fmt::format("from/{}", i * 100), "changed!");
  const auto done = copy(folder / "from", folder / "to");
  EXPECT_EQ(done.report.files, 3U);
  EXPECT_EQ(done.report.bytes, 24U);
  EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
}

TEST(Volume, ALargeDirectoryTravelsInParts) {
  Folder folder;
  fs::create_directories(folder / "from/all");
  fs::create_directories(folder / "to/all");
  for (int i = 0; i < 3000; ++i) write_file(folder / fmt::format("from/all/{}", i), std::to_string(i));
  for (int i = 0; i < 3000; i += 7) write_file(folder / fmt::format("to/all/{}x", i), "extra");
  const auto done = copy(folder / "from", folder / "to", kMirror, {}, 4);
  EXPECT_EQ(done.report.deleted, 429U);
  EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
}

TEST(Volume, SendsTheChangedChunksOfALargeFile) {
  Folder folder;
  SeededRng rng(9);
  fs::create_directory(folder / "from");
  auto bytes = random_bytes(rng, 20 * kChunk + 77);
  write_file(folder / "from/database", bytes);
  copy(folder / "from", folder / "to");
  bytes[5 * kChunk] ^= 1;
  bytes.back() ^= 1;
  write_file(folder / "from/database", bytes);
  const auto done = copy(folder / "from", folder / "to", kProof);
  EXPECT_EQ(done.report.bytes, kChunk + 77);
  EXPECT_TRUE(done.report.complete());
  fs::resize_file(folder / "from/database", 3 * kChunk);
  EXPECT_EQ(copy(folder / "from", folder / "to").report.bytes, 0U);
  EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
}

TEST(Volume, SendsTheChangedChunksOfLargeFilesAmongManyBatches) {
  Folder folder;
  SeededRng rng(11);
  for (int d = 0; d < 40; ++d) {
    fs::create_directories(folder / fmt::format("from/{:02}", d));
    for (int f = 0; f < 60; ++f) write_file(folder / fmt::format("from/{:02}/{}", d, f), random_bytes(rng, 500));
    if (d % 4 == 0) write_file(folder / fmt::format("from/{:02}/large", d), random_bytes(rng, 3 * kChunk));
  }
  copy(folder / "from", folder / "to");
  for (int d = 0; d < 40; d += 4)
    write_file(folder / fmt::format("from/{:02}/large", d), random_bytes(rng, 2 * kChunk + 5));
  const auto done = copy(folder / "from", folder / "to", kProof, {}, 1);
  EXPECT_EQ(done.send_failure, "");
  EXPECT_TRUE(done.report.complete());
  EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
}

TEST(Volume, GoesOnWithAPartOfALargeFile) {
  Folder folder;
  SeededRng rng(10);
  fs::create_directory(folder / "from");
  fs::create_directory(folder / "to");
  const auto bytes = random_bytes(rng, 8 * kChunk);
  write_file(folder / "from/database", bytes);
  write_file(folder / ("to/" + part_name("database")), std::string_view(bytes).substr(0, 5 * kChunk + 9));
  write_file(folder / ("to/" + part_name("forgotten")), "left by a run of the past");
  const auto done = copy(folder / "from", folder / "to");
  EXPECT_EQ(done.report.bytes, 3 * kChunk);
  EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
}

TEST(Volume, HolesStayHoles) {
  Folder folder;
  fs::create_directory(folder / "from");
  write_file(folder / "from/image", "head");
  fs::resize_file(folder / "from/image", 1 << 30);
  const auto done = copy(folder / "from", folder / "to");
  EXPECT_EQ(fs::file_size(folder / "to/image"), 1U << 30U);
  struct stat is{};
  ::stat((folder / "to/image").c_str(), &is);
  EXPECT_LT(is.st_blocks * 512, 3 << 20);
  EXPECT_LE(done.report.bytes, kChunk);
}

/// Nobody hashes a hole byte by byte: a tebibyte would take half an hour at either end.
TEST(Volume, ATebibyteOfHolesIsCopiedProvedAndUpdated) {
  Folder folder;
  fs::create_directory(folder / "from");
  write_file(folder / "from/disk.img", "the first block");
  const auto write_near_the_end = [&](std::string_view text) {
    std::fstream image(folder / "from/disk.img", std::ios::in | std::ios::out | std::ios::binary);
    image.seekp((std::int64_t{1} << 40) - 7000);
    image << text;
  };
  write_near_the_end("the last block");
  EXPECT_TRUE(copy(folder / "from", folder / "to", kProof).received.complete());
  write_near_the_end("another block");
  const auto done = copy(folder / "from", folder / "to", kProof);
  EXPECT_TRUE(done.received.complete());
  EXPECT_EQ(done.report.source_root, done.report.destination_root);
  EXPECT_LE(done.report.bytes, kChunk);
  EXPECT_EQ(fs::file_size(folder / "to/disk.img"), fs::file_size(folder / "from/disk.img"));
  struct stat is{};
  ::stat((folder / "to/disk.img").c_str(), &is);
  EXPECT_LT(is.st_blocks * 512, 3 << 20);
}

TEST(Volume, FlagsAreLosses) {
  Folder folder;
  fs::create_directory(folder / "from");
  for (const auto* name : {"a", "b", "c"}) write_file(folder / (std::string("from/") + name), name);
  const testing::Flagged no_dump(folder / "from/b", FS_NODUMP_FL);
  if (!no_dump.set()) GTEST_SKIP() << "the file system has no flags";
  const testing::Flagged immutable(folder / "from/a", FS_IMMUTABLE_FL);  // needs a privilege
  const testing::Flagged root(folder / "from", FS_NODUMP_FL);
  const auto done = copy(folder / "from", folder / "to", kProof);
  EXPECT_TRUE(done.report.complete()) << done.receive_failure;
  std::vector<std::string> losses;
  losses.reserve(done.report.losses.size());
  for (const auto& loss : done.report.losses) {
    losses.push_back(fmt::format("{} ({}: {})", loss.what, loss.count, printable(loss.path)));
  }
  std::vector<std::string> expected{"flag no-dump (2: .)"};
  if (immutable.set()) expected.emplace_back("flag immutable (1: a)");
  EXPECT_EQ(losses, expected);
}

TEST(Volume, ATimeBeyondWhatEntriesHoldIsALoss) {
  Folder folder;
  fs::create_directory(folder / "from");
  write_file(folder / "from/late", "x");
  if (!testing::set_age(folder / "from/late", 10'000'000'000)) GTEST_SKIP() << "the file system has no such times";
  const auto done = copy(folder / "from", folder / "to", kProof);
  EXPECT_TRUE(done.received.complete()) << done.receive_failure;
  ASSERT_EQ(done.report.losses.size(), 1U);
  EXPECT_EQ(done.report.losses[0].what, "time before 1678 or after 2261");
  EXPECT_EQ(done.report.losses[0].path, "late");
  struct stat is{};
  ::stat((folder / "to/late").c_str(), &is);
  EXPECT_EQ(is.st_mtim.tv_sec, kTimeLimit);
}

TEST(Volume, ComparesByHashWhenAsked) {
  Folder folder;
  fs::create_directory(folder / "from");
  write_file(folder / "from/same", "12345");
  write_file(folder / "from/other", "12345");
  copy(folder / "from", folder / "to");
  const auto time = fs::last_write_time(folder / "to/other");
  write_file(folder / "to/other", "12346");
  fs::last_write_time(folder / "to/other", time);
  EXPECT_EQ(copy(folder / "from", folder / "to").report.files, 0U);
  Wishes by_hash;
  by_hash.by_hash = true;
  EXPECT_EQ(copy(folder / "from", folder / "to", by_hash).report.files, 1U);
  EXPECT_EQ(slurp(folder / "to/other"), "12345");
}

TEST(Volume, FilesThatWereOneBecomeTwoAgain) {
  Folder folder;
  fs::create_directory(folder / "from");
  write_file(folder / "from/a", "12345");
  fs::create_hard_link(folder / "from/a", folder / "from/b");
  copy(folder / "from", folder / "to");
  EXPECT_EQ(fs::hard_link_count(folder / "to/a"), 2U);
  const auto time = fs::last_write_time(folder / "from/a");
  fs::remove(folder / "from/b");
  write_file(folder / "from/b", "54321");
  fs::last_write_time(folder / "from/b", time);
  copy(folder / "from", folder / "to");
  EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
}

TEST(Volume, VerificationNamesAFlippedByte) {
  Folder folder;
  SeededRng rng(11);
  fs::create_directory(folder / "from");
  write_file(folder / "from/good", "good");
  write_file(folder / "from/bad\n", random_bytes(rng, 3 * kChunk));
  copy(folder / "from", folder / "to");
  const auto time = fs::last_write_time(folder / "to/bad\n");
  auto bytes = slurp(folder / "to/bad\n");
  bytes[kChunk] ^= 4;
  write_file(folder / "to/bad\n", bytes);
  fs::last_write_time(folder / "to/bad\n", time);
  ::chmod((folder / "to/good").c_str(), 0600);
  const auto done = copy(folder / "from", folder / "to", kProof);
  EXPECT_FALSE(done.report.complete());
  ASSERT_EQ(done.report.differences.size(), 1U);
  EXPECT_EQ(done.report.differences[0].path, "bad\n");
  EXPECT_EQ(done.report.differences[0].what, "content");
  EXPECT_NE(done.report.source_root, done.report.destination_root);
}

TEST(Volume, VerificationNamesWhatIsExtra) {
  Folder folder;
  fs::create_directories(folder / "from/sub");
  fs::create_directories(folder / "to/sub/unasked");
  Wishes keep;
  keep.verify = true;
  const auto done = copy(folder / "from", folder / "to", keep);
  ASSERT_EQ(done.report.differences.size(), 1U);
  EXPECT_EQ(done.report.differences[0].path, "sub/unasked");
  EXPECT_EQ(done.report.differences[0].what, "extra");
}

TEST(Volume, ABrokenConnectionIsMendedByTheNextRun) {
  SeededRng rng(12);
  Folder folder;
  make_random_tree(folder / "from", rng, 20);
  const auto wanted = describe(folder / "from");
  for (int round = 0; round < 12; ++round) {
    Folder to;
    for (int strike = 0; strike < 3; ++strike) {
      net::testing::Faults faults;
      const auto at = rng.below(3'000'000);
      switch (rng.below(3)) {
        case 0: faults.reset_read_after = at; break;
        case 1: faults.reset_write_after = rng.below(3000); break;
        default: faults.close_read_after = at; break;
      }
      const auto broken = copy(folder / "from", to / "to", kMirror, faults, 2, Compression::kNever);
      EXPECT_EQ(broken.send_failure.empty(), broken.receive_failure.empty());
    }
    EXPECT_TRUE(copy(folder / "from", to / "to", kProof).report.complete());
    EXPECT_EQ(describe(to / "to"), wanted);
  }
}

TEST(Volume, LostAndFoundIsLeftAlone) {
  Folder folder;
  fs::create_directories(folder / "from/lost+found/inner");
  fs::create_directories(folder / "from/deep/lost+found");
  fs::create_directories(folder / "to/lost+found");
  write_file(folder / "to/lost+found/mine", "mine");
  const auto done = copy(folder / "from", folder / "to", kProof);
  EXPECT_TRUE(done.report.complete()) << done.send_failure;
  EXPECT_TRUE(fs::exists(folder / "to/lost+found/mine"));
  EXPECT_FALSE(fs::exists(folder / "to/lost+found/inner"));
  EXPECT_TRUE(fs::exists(folder / "to/deep/lost+found"));
  ASSERT_EQ(done.report.losses.size(), 1U);
  EXPECT_EQ(done.report.losses[0].path, "lost+found");
}

TEST(Volume, TheReceiverCanDemandTheProof) {
  Folder folder;
  fs::create_directory(folder / "from");
  write_file(folder / "from/file", "content");
  const auto done = copy(folder / "from", folder / "to", {}, {}, 1, Compression::kAuto, {.welcome = {.verify = true}});
  EXPECT_EQ(done.send_failure, "");
  EXPECT_TRUE(done.report.verified);
  EXPECT_TRUE(done.received.verified);
  EXPECT_EQ(done.received.source_root, done.report.destination_root);
}

}  // namespace
}  // namespace mtc::volume
