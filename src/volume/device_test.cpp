#include "volume/device.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/hash.hpp"
#include "net/testing/outcome.hpp"
#include "volume/testing/copy.hpp"
#include "volume/testing/failing_calls.hpp"
#include "volume/testing/random_tree.hpp"
#include "volume/transfer.hpp"

namespace mtc::volume {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::copy_device;
using testing::Folder;
using ::testing::HasSubstr;
using testing::random_bytes;
using testing::write_file;

constexpr Wishes kMirror{.remove_extras = true};
constexpr Wishes kProof{.remove_extras = true, .verify = true};
constexpr std::size_t kSize = (2 * kExtentSize) + (3 * kChunk) + 4096;  ///< of a source: the last parts are not whole

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  in.seekg(0, std::ios::end);
  std::string bytes(static_cast<std::size_t>(in.tellg()), '\0');
  in.seekg(0);
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

void overwrite(const std::string& path, std::uint64_t at, std::string_view bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(at));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// Two files that stand for devices: content, and as many zeros.
class Devices : public ::testing::Test {
 protected:
  void SetUp() override {
    content_ = random_bytes(rng_, kSize);
    write_file(from_, content_);
    write_file(to_, std::string(kSize, '\0'));
  }
  Folder folder_;
  SeededRng rng_{31};
  std::string content_;
  const std::string from_ = folder_ / "from";
  const std::string to_ = folder_ / "to";
};

TEST_F(Devices, ArriveAsTheyWere) {
  const auto done = copy_device(from_, to_, kProof);
  EXPECT_EQ(done.send_failure, "");
  EXPECT_EQ(done.receive_failure, "");
  EXPECT_TRUE(done.report.complete());
  EXPECT_TRUE(done.report.verified);
  EXPECT_EQ(done.report.bytes, kSize);
  EXPECT_EQ(done.report.source_root.size(), 32U);
  EXPECT_EQ(done.received.source_root, done.report.destination_root);
  EXPECT_TRUE(slurp(to_) == content_);
}

TEST_F(Devices, OnlyChunksThatDifferTravel) {
  copy_device(from_, to_, kMirror);
  overwrite(from_, kExtentSize + 5, "x");
  overwrite(from_, kSize - 1, "y");
  const auto done = copy_device(from_, to_, kProof);
  EXPECT_TRUE(done.report.complete());
  EXPECT_EQ(done.report.bytes, kChunk + 4096);
  EXPECT_TRUE(slurp(to_) == slurp(from_));
  const auto again = copy_device(from_, to_, kMirror);
  EXPECT_EQ(again.report.bytes, 0U);
  EXPECT_EQ(again.report.skipped, 1U);
}

TEST_F(Devices, ZerosAreWrittenOverOldBytesAndDoNotTravel) {
  fs::resize_file(from_, 0);
  fs::resize_file(from_, kSize);
  overwrite(from_, kChunk * 3, "only this");
  write_file(to_, content_);
  const auto done = copy_device(from_, to_, kProof);
  EXPECT_TRUE(done.report.complete());
  EXPECT_TRUE(slurp(to_) == slurp(from_));
  struct stat is{};
  ::stat(to_.c_str(), &is);
  EXPECT_LT(is.st_blocks * 512, static_cast<blkcnt_t>(2 * kChunk)) << "the blocks of zeros were given back";
}

TEST_F(Devices, ATooSmallDestinationIsRefusedBeforeAnythingIsWritten) {
  const std::string before(kSize - 4096, 'o');
  write_file(to_, before);
  const auto done = copy_device(from_, to_, kProof);
  const auto why =
      AllOf(HasSubstr("too small"), HasSubstr(std::to_string(kSize)), HasSubstr(std::to_string(kSize - 4096)));
  EXPECT_THAT(done.receive_failure, why);
  EXPECT_THAT(done.send_failure, why);
  EXPECT_TRUE(slurp(to_) == before);
}

TEST_F(Devices, WhatALargerDestinationHasMoreBecomesZeros) {
  write_file(to_, std::string(kSize + (2 * kChunk) + 512, 'o'));
  const auto done = copy_device(from_, to_, kProof);
  EXPECT_TRUE(done.report.complete());
  EXPECT_EQ(done.report.beyond, 2 * kChunk + 512);
  EXPECT_TRUE(slurp(to_) == content_ + std::string((2 * kChunk) + 512, '\0'));
}

TEST_F(Devices, ABrokenConnectionIsMendedByTheNextRun) {
  for (int strike = 0; strike < 6; ++strike) {
    net::testing::Faults faults;
    faults.reset_read_after = rng_.below(3'000'000);
    const auto broken = copy_device(from_, to_, kMirror, faults);
    EXPECT_EQ(broken.send_failure.empty(), broken.receive_failure.empty());
    if (strike == 0) EXPECT_NE(broken.receive_failure, "");
  }
  const auto done = copy_device(from_, to_, kProof);
  EXPECT_TRUE(done.report.complete());
  EXPECT_LT(done.report.bytes, kSize) << "what had arrived was kept";
  EXPECT_TRUE(slurp(to_) == content_);
}

TEST_F(Devices, ADiskThatCannotBeReadOrWrittenEndsTheRunOnBothSides) {
  for (const auto& [call, doing] : {std::pair{SYS_pwrite64, "write"}, std::pair{SYS_pread64, "read"}}) {
    testing::Copied done;
    ASSERT_TRUE(testing::with_failing_calls({{call, EIO}}, [&] { done = copy_device(from_, to_, kProof); }));
    EXPECT_THAT(done.receive_failure, AllOf(HasSubstr(doing), HasSubstr("Input/output error")));
    EXPECT_THAT(done.send_failure, AllOf(HasSubstr(doing), HasSubstr("Input/output error")));
  }
}

/// A sender of one chunk that says of it, when the receiver has read it back, that it was `proof`.
Task<void> send_by_hand(net::StreamPtr stream, std::string chunk, std::string proof, Report* verdict) {
  Frames frames(std::move(stream));
  Hello hello{.session = std::string(16, 's'), .wishes = kProof, .device = chunk.size()};
  co_await frames.write(Kind::kHello, encode(hello));
  co_await frames.expect(Kind::kWelcome);
  co_await frames.write(Kind::kExtent, encode(Extent{0, chunk.size()}));
  co_await frames.expect(Kind::kHashes);
  co_await frames.write(Kind::kChunk, Writer().u64(0).u64(0).raw(chunk).bytes());
  co_await frames.write(Kind::kLaneDone, {});
  co_await frames.expect(Kind::kLaneDone);
  co_await frames.write(Kind::kDeviceEnd, encode(DeviceEnd{.verify = true, .report = {}}));
  co_await frames.expect(Kind::kFinished);
  co_await frames.write(Kind::kManifest, sha256(proof));
  co_await frames.write(Kind::kManifest, {});
  *verdict = decode_report(co_await frames.expect(Kind::kVerdict));
  co_await frames.write(Kind::kLaneDone, {});
}

Task<void> receive_by_hand(net::StreamPtr stream, std::string root) {
  std::vector<Lane> lanes;
  lanes.push_back(co_await meet(std::move(stream)));
  co_await receive_device({.root = std::move(root)}, std::move(lanes));
}

/// What the receiver says of a chunk whose sender holds another one for it, or why it failed.
std::pair<Report, std::string> received_by_hand(const std::string& to, std::string chunk, std::string proof) {
  std::pair<Report, std::string> out;
  auto both = [](std::string root, std::string sent, std::string meant,
                 std::pair<Report, std::string>* into) -> Task<void> {
    auto [a, b] = net::make_pipe();
    auto failing = [](Task<void> task, std::string* why) -> Task<void> {
      *why = co_await net::testing::failure_of(std::move(task));
    };
    std::string sender;
    std::vector<Task<void>> tasks;
    tasks.push_back(failing(send_by_hand(std::move(a), std::move(sent), std::move(meant), &into->first), &sender));
    tasks.push_back(failing(receive_by_hand(std::move(b), std::move(root)), &into->second));
    co_await async::all(std::move(tasks));
  };
  async::Runtime runtime(2);
  runtime.run(both(to, std::move(chunk), std::move(proof), &out));
  return out;
}

TEST_F(Devices, VerificationNamesAFlippedByte) {
  const auto chunk = content_.substr(0, kChunk);
  EXPECT_TRUE(received_by_hand(to_, chunk, chunk).first.complete());
  auto other = chunk;
  other[kChunk / 2] ^= 1;
  const auto [report, failure] = received_by_hand(to_, chunk, other);
  EXPECT_EQ(failure, "");
  EXPECT_FALSE(report.complete());
  ASSERT_EQ(report.differences.size(), 1U);
  EXPECT_EQ(report.differences[0].path, fmt::format("bytes 0-{}", kChunk - 1));
  EXPECT_EQ(report.differences[0].what, "content");
  EXPECT_NE(report.source_root, report.destination_root);
}

TEST_F(Devices, WhatDoesNotReachTheDiskIsNoSuccess) {
  const auto chunk = content_.substr(0, kChunk);
  std::pair<Report, std::string> out;
  ASSERT_TRUE(testing::with_failing_calls({{SYS_fsync, EIO}}, [&] { out = received_by_hand(to_, chunk, chunk); }));
  EXPECT_THAT(out.second, AllOf(HasSubstr("bring to the disk"), HasSubstr("Input/output error")));
}

TEST(Device, PartsThatItDoesNotHaveAreRefused) {
  constexpr std::uint64_t kDevice = kExtentSize + 100;
  EXPECT_EQ(decode_extent(encode(Extent{kExtentSize, 100}), kDevice).size, 100U);
  for (const auto& hostile :
       {Extent{1, kExtentSize}, Extent{0, kExtentSize + 1}, Extent{kExtentSize, 101}, Extent{2 * kExtentSize, 1},
        Extent{UINT64_MAX - kExtentSize + 1, kExtentSize}, Extent{0, 0}}) {
    EXPECT_THROW(decode_extent(encode(hostile), kDevice), Error) << hostile.offset << " " << hostile.size;
  }
}

TEST_F(Devices, AHostileSenderWritesNothingBeyondTheSource) {
  write_file(to_, std::string(3 * kChunk, 'o'));
  const auto chunk = [](std::uint64_t offset, std::uint64_t zeros, std::string_view data) {
    return Writer().u64(offset).u64(zeros).raw(data).bytes();
  };
  for (const auto& attack :
       {chunk(kChunk, 0, "x"), chunk(kChunk - 1, 0, "xx"), chunk(0, kChunk + 1, ""), chunk(UINT64_MAX, 0, "x"),
        chunk(UINT64_MAX - 1, 8, ""), chunk(0, 0, ""), chunk(0, 8, "x")}) {
    std::string failure;
    auto both = [](std::string root, std::string says, std::string* into) -> Task<void> {
      auto [a, b] = net::make_pipe();
      auto attacker = [](net::StreamPtr stream, std::string payload) -> Task<void> {
        Frames frames(std::move(stream));
        co_await frames.write(Kind::kHello, encode(Hello{.session = std::string(16, 's'), .device = kChunk}));
        co_await frames.expect(Kind::kWelcome);
        co_await frames.write(Kind::kChunk, std::move(payload));
        co_await net::testing::failure_of([](Frames* from) -> Task<void> { co_await from->read(); }(&frames));
        co_await frames.close();
      };
      auto failing = [](Task<void> task, std::string* why) -> Task<void> {
        *why = co_await net::testing::failure_of(std::move(task));
      };
      std::vector<Task<void>> tasks;
      tasks.push_back(attacker(std::move(a), std::move(says)));
      tasks.push_back(failing(receive_by_hand(std::move(b), std::move(root)), into));
      co_await async::all(std::move(tasks));
    };
    async::Runtime runtime(2);
    runtime.run(both(to_, attack, &failure));
    EXPECT_THAT(failure, HasSubstr("a chunk lies beyond the device"));
  }
  EXPECT_TRUE(slurp(to_) == std::string(3 * kChunk, 'o'));
}

TEST_F(Devices, WhatIsNoDeviceIsRefused) {
  EXPECT_THAT(copy_device(folder_.path(), to_, kMirror).send_failure, HasSubstr("neither a block device"));
  EXPECT_THAT(copy_device(from_, folder_.path(), kMirror).send_failure, HasSubstr("neither a block device"));
  EXPECT_THAT(copy_device(from_, folder_ / "absent", kMirror).send_failure, HasSubstr("No such file"));
  write_file(from_, "");
  EXPECT_THAT(copy_device(from_, to_, kMirror).send_failure, HasSubstr("has no bytes"));
}

TEST(Device, KnowsThatItWasWrittenTo) {
  Folder folder;
  write_file(folder / "file", std::string(kChunk, 'a'));
  fs::last_write_time(folder / "file", fs::file_time_type::clock::now() - std::chrono::hours(1));
  Device device(folder / "file", Device::Access::kRead);
  const auto before = device.writes();
  EXPECT_TRUE(before.has_value());
  EXPECT_EQ(device.writes(), before);
  overwrite(folder / "file", 17, "changed");
  EXPECT_NE(device.writes(), before);
}

TEST(Device, ReadsPartsOfAnySizeFromTheDisk) {
  Folder folder;
  SeededRng rng(32);
  const auto bytes = random_bytes(rng, kExtentSize + kChunk + 77);
  write_file(folder / "file", bytes);
  Device device(folder / "file", Device::Access::kWrite);
  device.settle();
  EXPECT_EQ(extents_of(bytes.size()), 2U);
  EXPECT_EQ(device.digest_from_disk(extent_at(0, bytes.size())), sha256(bytes.substr(0, kExtentSize)));
  EXPECT_EQ(device.digest_from_disk(extent_at(1, bytes.size())), sha256(bytes.substr(kExtentSize)));
}

/// A file as a block device of the kernel's, until the end of the test.
class Loop {
 public:
  explicit Loop(const std::string& file) {
    const Fd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
    const Fd backing(::open(file.c_str(), O_RDWR | O_CLOEXEC));
    if (!control || !backing) return;
    for (int attempt = 0; attempt < 10 && !attached_; ++attempt) {  // Others may take the free one first.
      path_ = fmt::format("/dev/loop{}", ::ioctl(control.get(), LOOP_CTL_GET_FREE));
      device_ = Fd(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
      attached_ = device_ && ::ioctl(device_.get(), LOOP_SET_FD, backing.get()) == 0;
    }
  }
  ~Loop() {
    if (attached_) ::ioctl(device_.get(), LOOP_CLR_FD);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  bool attached() const { return attached_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  Fd device_;
  bool attached_ = false;
};

TEST_F(Devices, OfTheKernelAreCopiedAndCompared) {
  write_file(to_, std::string(kSize + kChunk, 'o'));
  const Loop source(from_);
  const Loop destination(to_);
  if (!source.attached() || !destination.attached()) GTEST_SKIP() << "no loop devices here";
  const auto done = copy_device(source.path(), destination.path(), kProof);
  EXPECT_EQ(done.send_failure, "");
  EXPECT_TRUE(done.report.complete());
  EXPECT_TRUE(done.report.verified);
  EXPECT_THAT(done.report.differences, ::testing::IsEmpty());
  EXPECT_EQ(done.report.unsettled(), 0U);
  EXPECT_EQ(done.report.device, kSize);
  EXPECT_EQ(done.report.beyond, kChunk);
  EXPECT_TRUE(slurp(destination.path()) == content_ + std::string(kChunk, '\0'));
}

TEST_F(Devices, OfTheKernelTellWhenTheyAreWrittenTo) {
  const Loop source(from_);
  if (!source.attached()) GTEST_SKIP() << "no loop devices here";
  Device device(source.path(), Device::Access::kRead);
  device.settle();
  const auto before = device.writes();
  if (!before) GTEST_SKIP() << "this kernel does not count writes";
  device.settle();
  EXPECT_EQ(device.writes(), before) << "what we do ourselves is no change";
  overwrite(source.path(), 4096, "changed");
  device.settle();
  EXPECT_NE(device.writes(), before);
}

TEST_F(Devices, InUseAreNotWrittenTo) {
  const Loop destination(to_);
  if (!destination.attached()) GTEST_SKIP() << "no loop devices here";
  const Fd user(::open(destination.path().c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));  // as a mount does
  ASSERT_TRUE(user);
  const auto done = copy_device(from_, destination.path(), kMirror);
  EXPECT_THAT(done.send_failure, AllOf(HasSubstr(destination.path()), HasSubstr("busy")));
  EXPECT_TRUE(slurp(to_) == std::string(kSize, '\0'));
}

}  // namespace
}  // namespace mtc::volume
