#include "volume/device.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sys/syscall.h>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "restic/device_tree.hpp"
#include "restic/testing/restic_program.hpp"
#include "restic/testing/vault.hpp"
#include "volume/testing/failing_calls.hpp"
#include "volume/testing/random_tree.hpp"

// Block devices into a repository and back.

namespace mtc::restic {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::ResticProgram;
using ::testing::StartsWith;
using testing::Vault;
using volume::testing::Folder;
using volume::testing::random_bytes;
using volume::testing::write_file;

constexpr std::size_t kMiB = 1024UZ * 1024;
constexpr std::size_t kSize = (40 * kMiB) + 4096;

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void overwrite(const std::string& path, std::uint64_t at, std::string_view bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(at));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

BackupOptions of_device(const std::string& path) {
  BackupOptions options;
  options.root = path;
  options.device = true;
  options.host = "shop/disk";
  return options;
}

RestoreOptions onto_device(const Id& snapshot, const std::string& path) {
  return {.root = path, .device = true, .snapshot = snapshot, .verify = true};
}

/// Two files that stand for devices: content with much that is empty, and as many zeros.
class StoredDevices : public ::testing::Test {
 protected:
  void SetUp() override {
    content_ = random_bytes(rng_, 12 * kMiB) + std::string(20 * kMiB, '\0');
    content_ += random_bytes(rng_, kSize - content_.size());
    write_file(from_, content_);
    write_file(to_, std::string(kSize, '\0'));
  }
  Folder folder_;
  SeededRng rng_{32};
  Vault vault_;
  std::string content_;
  const std::string from_ = folder_ / "from";
  const std::string to_ = folder_ / "to";
};

TEST_F(StoredDevices, ComeBackAsTheyWere) {
  const auto backup = vault_.back_up(of_device(from_));
  ASSERT_EQ(backup.failure, "");
  EXPECT_TRUE(backup.result.report.complete());
  EXPECT_EQ(backup.result.report.device, kSize);
  EXPECT_LT(backup.result.report.bytes, 24 * kMiB) << "what is empty is stored once";
  volume::Progress progress;
  auto options = onto_device(backup.id(), to_);
  options.progress = &progress;
  const auto restored = vault_.restore(options);
  EXPECT_EQ(restored.failure, "");
  EXPECT_TRUE(restored.report.complete());
  EXPECT_TRUE(restored.report.verified);
  EXPECT_EQ(restored.report.device, kSize);
  EXPECT_LT(restored.report.bytes, 24 * kMiB) << "what is empty is not written";
  EXPECT_EQ(progress.bytes, kSize);
  EXPECT_EQ(progress.files, 1U);
  EXPECT_TRUE(slurp(to_) == content_);
}

TEST_F(StoredDevices, OnlyWhatChangedIsStoredAndWritten) {
  const auto first = vault_.back_up(of_device(from_));
  vault_.restore(onto_device(first.id(), to_));
  overwrite(from_, kSize - 100, "changed");
  overwrite(from_, 20 * kMiB, "no longer empty");
  const auto second = vault_.back_up(of_device(from_));
  EXPECT_GT(second.result.report.bytes, 0U);
  EXPECT_LT(second.result.report.bytes, 10 * kMiB) << "blobs before the first change are the same";
  EXPECT_EQ(second.result.snapshot->parent, first.id());
  const auto restored = vault_.restore(onto_device(second.id(), to_));
  EXPECT_TRUE(restored.report.complete()) << restored.failure;
  EXPECT_GT(restored.report.bytes, 0U);
  EXPECT_LE(restored.report.bytes, second.result.report.bytes) << "a new blob may have what is there";
  EXPECT_TRUE(slurp(to_) == slurp(from_));
  EXPECT_EQ(vault_.back_up(of_device(from_)).result.report.bytes, 0U);
  const auto again = vault_.restore(onto_device(second.id(), to_));
  EXPECT_EQ(again.report.bytes, 0U);
  EXPECT_EQ(again.report.skipped, 1U);
  vault_.restore(onto_device(first.id(), to_));
  EXPECT_TRUE(slurp(to_) == content_) << "zeros are written over old bytes";
}

TEST_F(StoredDevices, WhatALargerOneHasMoreBecomesZeros) {
  write_file(to_, std::string(kSize + (2 * kMiB) + 512, 'o'));
  const auto restored = vault_.restore(onto_device(vault_.back_up(of_device(from_)).id(), to_));
  EXPECT_TRUE(restored.report.complete()) << restored.failure;
  EXPECT_EQ(restored.report.beyond, 2 * kMiB + 512);
  EXPECT_TRUE(slurp(to_) == content_ + std::string((2 * kMiB) + 512, '\0'));
}

TEST_F(StoredDevices, ASmallerOneIsRefusedBeforeAnythingIsWritten) {
  const std::string before(kSize - 4096, 'o');
  write_file(to_, before);
  const auto restored = vault_.restore(onto_device(vault_.back_up(of_device(from_)).id(), to_));
  EXPECT_THAT(restored.failure, AllOf(StartsWith("Invalid"), HasSubstr("too small"), HasSubstr(std::to_string(kSize)),
                                      HasSubstr(std::to_string(kSize - 4096))));
  EXPECT_TRUE(slurp(to_) == before);
}

TEST_F(StoredDevices, AreNoFileTreesAndTheReverse) {
  const auto device = vault_.back_up(of_device(from_)).id();
  EXPECT_THAT(vault_.restore(device, folder_ / "tree").failure,
              AllOf(StartsWith("Invalid"), HasSubstr(device.brief() + " is of a block device")));
  EXPECT_FALSE(fs::exists(folder_ / "tree"));
  fs::create_directory(folder_ / "files");
  write_file(folder_ / "files/device", "a name says nothing");
  const auto tree = vault_.back_up(folder_ / "files").id();
  EXPECT_THAT(vault_.restore(onto_device(tree, to_)).failure,
              AllOf(StartsWith("Invalid"), HasSubstr(tree.brief() + " is of a file tree")));
  EXPECT_TRUE(slurp(to_) == std::string(kSize, '\0'));
}

TEST_F(StoredDevices, ADamagedBlobEndsTheRestore) {
  auto store = blob::make_directory_store(folder_ / "repository");
  async::Runtime().run(Repository::create(store, "", Secret("a password")));
  const Vault vault(store, "a password");
  const auto id = vault.back_up(of_device(from_)).id();
  fs::path largest;
  for (const auto& each : fs::recursive_directory_iterator(folder_ / "repository/data")) {
    if (each.is_regular_file() && (largest.empty() || each.file_size() > fs::file_size(largest))) largest = each.path();
  }
  fs::permissions(largest, fs::perms::owner_write, fs::perm_options::add);
  const auto at = fs::file_size(largest) / 2;
  const auto byte = slurp(largest).at(at);
  overwrite(largest, at, std::string(1, static_cast<char>(byte ^ 1)));
  EXPECT_THAT(vault.restore(onto_device(id, to_)).failure, StartsWith("Corrupt"));
}

TEST_F(StoredDevices, ADiskThatFailsIsNoSuccess) {
  const auto id = vault_.back_up(of_device(from_)).id();
  for (const auto& [call, doing] :
       {std::pair{SYS_pwrite64, "write"}, std::pair{SYS_pread64, "read"}, std::pair{SYS_fsync, "bring to the disk"}}) {
    Vault::Restored restored;
    ASSERT_TRUE(
        volume::testing::with_failing_calls({{call, EIO}}, [&] { restored = vault_.restore(onto_device(id, to_)); }));
    EXPECT_THAT(restored.failure, AllOf(HasSubstr(doing), HasSubstr("Input/output error")));
  }
  Vault::BackedUp backup;
  ASSERT_TRUE(
      volume::testing::with_failing_calls({{SYS_pread64, EIO}}, [&] { backup = vault_.back_up(of_device(from_)); }));
  EXPECT_THAT(backup.failure, HasSubstr("Input/output error"));
  EXPECT_FALSE(backup.result.snapshot);
}

TEST_F(StoredDevices, OneThatIsWrittenToMeanwhileIsNoWholeBackup) {
  for (const bool lenient : {false, true}) {
    std::jthread writer([this](const std::stop_token& stop) {
      for (int i = 0; !stop.stop_requested(); ++i) overwrite(from_, 4096, std::to_string(i));
    });
    auto options = of_device(from_);
    options.lenient = lenient;
    const auto backup = vault_.back_up(options);
    EXPECT_EQ(backup.failure, "");
    ASSERT_EQ(backup.result.report.changed_count, 1U);
    EXPECT_EQ(backup.result.report.changed[0].path, from_);
    EXPECT_EQ(backup.result.snapshot.has_value(), lenient);
  }
}

TEST_F(StoredDevices, WhatIsOnTheDiskIsComparedWhereverABlobBegins) {
  const volume::Device device(from_, volume::Device::Access::kRead);
  for (const auto& [offset, size] : {std::pair{0UL, kSize}, std::pair{1UL, 1UL}, std::pair{4095UL, 2UL},
                                     std::pair{kMiB - 7, 3 * kMiB + 9}, std::pair{kSize - 5, 5UL}}) {
    EXPECT_EQ(device.digest_from_disk({offset, size}), Id::of(std::string_view(content_).substr(offset, size)).raw());
  }
}

TEST(DeviceTree, ATagOrTreeThatIsNoneIsRefused) {
  Snapshot snapshot;
  EXPECT_EQ(device_of(snapshot), std::nullopt);
  for (const auto* broken : {"mtc-device=", "mtc-device=0", "mtc-device=-1", "mtc-device=12x", "mtc-device= 1"}) {
    snapshot.tags = {"a=b", broken};
    EXPECT_THROW(device_of(snapshot), Error) << broken;
  }
  snapshot.tags = {device_tag(512)};
  EXPECT_EQ(device_of(snapshot), 512U);
  const auto tree = [](const Node& node) {
    std::string json(kTreeHead);
    append_node(json, node);
    return json + std::string(kTreeEnd);
  };
  auto node = device_node(512, {Id::of("x")}, Time{});
  EXPECT_EQ(device_content(tree(node), 512), std::vector{Id::of("x")});
  EXPECT_THROW(device_content(tree(node), 513), Error);
  EXPECT_THROW(device_content(std::string(kTreeHead) + std::string(kTreeEnd), 512), Error);
  node.entry.name = "other";
  EXPECT_THROW(device_content(tree(node), 512), Error);
}

TEST_F(StoredDevices, ResticReadsAnImageOfThem) {
  if (!ResticProgram::installed()) GTEST_SKIP() << "restic is not installed";
  const ResticProgram restic;
  ASSERT_EQ(restic.run("init --repository-version 2").code, 0);
  const Vault vault(restic.store(), ResticProgram::kPassword);
  const auto id = vault.back_up(of_device(from_)).id();
  const auto checked = restic.run("check --read-data");
  EXPECT_EQ(checked.code, 0) << checked.output;
  const auto dumped = restic.run(fmt::format("dump {} device > {}", id.hex(), folder_ / "image"));
  EXPECT_EQ(dumped.code, 0) << dumped.output;
  EXPECT_TRUE(slurp(folder_ / "image") == content_);
  const auto restored = restic.run(fmt::format("restore {} --target {}", id.hex(), folder_ / "restored"));
  EXPECT_EQ(restored.code, 0) << restored.output;
  EXPECT_TRUE(slurp(folder_ / "restored/device") == content_);
}

}  // namespace
}  // namespace mtc::restic
