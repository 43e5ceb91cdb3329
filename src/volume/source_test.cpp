#include "volume/source.hpp"

#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "volume/count.hpp"
#include "volume/testing/random_tree.hpp"

namespace mtc::volume {
namespace {

namespace fs = std::filesystem;
using testing::Folder;
using testing::write_file;

/// A tree with the files "a" and "b", as a sender has listed it.
struct Listed {
  Listed() {
    write_file(folder / "a", "as it was listed");
    write_file(folder / "b", "as it was listed");
    unit = source.look(*source.take());
  }
  Folder folder;
  Progress progress;
  Source source{folder.path(), true, nullptr, &progress};
  Unit unit;
  const std::vector<Wanted> both{{{0, 0}, Basis::kNone, ""}, {{0, 1}, Basis::kNone, ""}};
};

TEST(Source, SendsWhatAFileIsWhenItIsRead) {
  Listed listed;
  write_file(listed.folder / "a", "it became longer since");
  std::size_t at = 0;
  const auto frame = listed.source.read_small(listed.unit, listed.both, at);
  EXPECT_EQ(at, 2U);
  EXPECT_EQ(listed.source.report().unsettled(), 0U);
  EXPECT_EQ(listed.unit.batch.segments[0].found[0].entry.size, 22U);
  EXPECT_THAT(frame.payload, ::testing::HasSubstr("it became longer since"));
}

TEST(Source, NotesWhatVanished) {
  Listed listed;
  fs::remove(listed.folder / "a");
  std::size_t at = 0;
  listed.source.read_small(listed.unit, listed.both, at);
  listed.source.record(listed.unit);
  EXPECT_EQ(listed.source.report().vanished_count, 1U);
  ASSERT_EQ(listed.source.report().vanished.size(), 1U);
  EXPECT_EQ(listed.source.report().vanished[0].path, "a");
  EXPECT_EQ(listed.source.report().failed, 0U);
}

TEST(Source, NotesWhatChangedAfterItWasTakenForTheSame) {
  Listed listed;
  write_file(listed.folder / "b", "it was taken for the same, and changed before its hash was taken");
  listed.source.record(listed.unit);
  EXPECT_EQ(listed.source.report().changed_count, 1U);
  ASSERT_EQ(listed.source.report().changed.size(), 1U);
  EXPECT_EQ(listed.source.report().changed[0].path, "b");
}

TEST(Source, NotesALargeFileThatShrinksWhileItIsRead) {
  Folder folder;
  SeededRng rng(1);
  write_file(folder / "large", testing::random_bytes(rng, 3 * kChunk));
  Progress progress;
  Source source(folder.path(), true, nullptr, &progress);
  auto unit = source.look(*source.take());
  LargeSource large(source, unit, {0, 0});
  std::string buffer;
  large.next("", buffer);
  fs::resize_file(folder / "large", kChunk + 5);
  while (!large.next("", buffer).end) {
  }
  EXPECT_EQ(large.finish().entry.size, kChunk + 5);
  EXPECT_EQ(source.report().changed_count, 1U);
}

TEST(Count, FindsWhatASenderSettles) {
  Folder folder;
  fs::create_directories(folder / "d/e");
  for (int i = 0; i < 10; ++i) write_file(folder / fmt::format("d/{}", i), std::string(100, 'x'));
  fs::create_hard_link(folder / "d/1", folder / "d/e/again");
  fs::create_symlink("d", folder / "link");
  Progress progress;
  const Tree tree(folder.path());
  std::atomic<bool> stop = false;
  count_tree(tree, progress, stop);
  EXPECT_TRUE(progress.counted);
  EXPECT_EQ(progress.files_total, 10U);
  EXPECT_EQ(progress.bytes_total, 1000U);
  stop = true;
  Progress stopped;
  count_tree(tree, stopped, stop);
  EXPECT_FALSE(stopped.counted);
}

TEST(Leniency, ExcusesWhatChangedAndWhatLiesBelow) {
  Leniency leniency;
  leniency.changed = {"log", "gone"};
  EXPECT_TRUE(leniency.excuses("log", "content"));
  EXPECT_TRUE(leniency.excuses("gone/deep/file", "extra"));
  EXPECT_FALSE(leniency.excuses("logs", "content"));
  EXPECT_FALSE(leniency.excuses("", "mode"));
  EXPECT_FALSE(leniency.excuses("other", "owner"));
  leniency.losses = true;
  EXPECT_TRUE(leniency.excuses("other", "owner, mode"));
  EXPECT_FALSE(leniency.excuses("other", "owner, content"));
  EXPECT_TRUE(leniency.excuses("", "owner, time")) << "the root is its storage's";
  EXPECT_FALSE(leniency.excuses("other", "owner, time"));
}

}  // namespace
}  // namespace mtc::volume
