#include <cerrno>
#include <filesystem>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "volume/file_error.hpp"
#include "volume/testing/copy.hpp"
#include "volume/testing/failing_calls.hpp"
#include "volume/testing/random_tree.hpp"

// What disks, kernels and missing privileges do to a move: each ends with the cause and the path.

namespace mtc::volume {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::copy;
using testing::describe;
using testing::FailingCall;
using testing::Folder;
using ::testing::HasSubstr;
using testing::make_random_tree;
using testing::random_bytes;
using testing::with_failing_calls;
using testing::write_file;

constexpr Wishes kProof{.remove_extras = true, .verify = true};

/// A source with one file, and the copy that a machine makes of it on which `call` fails.
testing::Copied copy_while_failing(const Folder& folder, const FailingCall& call, std::size_t size) {
  SeededRng rng(5);
  fs::create_directory(folder / "from");
  write_file(folder / "from/file", random_bytes(rng, size));
  testing::Copied done;
  EXPECT_TRUE(with_failing_calls({call}, [&] { done = copy(folder / "from", folder / "to"); }));
  return done;
}

TEST(Faults, ADiskThatCannotBeReadIsNamedWithTheFile) {
  for (const auto size : {std::size_t{1000}, 3 * kChunk}) {
    Folder folder;
    const auto done = copy_while_failing(folder, {SYS_pread64, EIO}, size);
    EXPECT_EQ(done.send_failure, "");
    EXPECT_EQ(done.report.failed, 1U);
    ASSERT_EQ(done.report.failures.size(), 1U);
    EXPECT_EQ(done.report.failures[0].what, "read file: Input/output error");
    EXPECT_FALSE(done.received.complete());
  }
}

TEST(Faults, ADiskThatCannotBeWrittenEndsTheRunOnBothSides) {
  for (const auto size : {std::size_t{1000}, 3 * kChunk}) {
    Folder folder;
    const auto done = copy_while_failing(folder, {SYS_pwrite64, EIO}, size);
    EXPECT_THAT(done.receive_failure, HasSubstr("write file: Input/output error"));
    EXPECT_THAT(done.send_failure, HasSubstr("write file: Input/output error"));
  }
}

TEST(Faults, WhatDoesNotReachTheDiskIsNoSuccess) {
  Folder folder;
  const auto done = copy_while_failing(folder, {SYS_syncfs, EIO}, 1000);
  EXPECT_THAT(done.receive_failure, HasSubstr("Input/output error"));
  EXPECT_THAT(done.send_failure, AllOf(HasSubstr("bring to the disk"), HasSubstr("Input/output error")));
}

TEST(Faults, KernelsWithoutOpenat2CopyTheSame) {
  for (const int failure : {ENOSYS, EPERM}) {
    Folder folder;
    SeededRng rng(6);
    make_random_tree(folder / "from", rng);
    make_random_tree(folder / "to", rng);
    testing::Copied done;
    ASSERT_TRUE(
        with_failing_calls({{SYS_openat2, failure}}, [&] { done = copy(folder / "from", folder / "to", kProof); }));
    EXPECT_EQ(done.send_failure, "");
    EXPECT_TRUE(done.report.complete());
    EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
  }
}

/// Errno of opening a directory beneath a tree; 0 if it opens.
int opening(const Tree& tree, const std::string& path) {
  try {
    tree.open_directory(path);
    return 0;
  } catch (const FileError& failure) {
    return failure.number();
  }
}

TEST(Faults, NoPathLeadsOutOfATreeOnAnyKernel) {
  Folder folder;
  fs::create_directories(folder / "tree/inner/deep");
  fs::create_directory(folder / "outside");
  fs::create_directory_symlink(folder / "outside", folder / "tree/out");
  fs::create_directory_symlink("inner", folder / "tree/within");
  const Tree tree(folder / "tree");
  const auto check = [&] {
    EXPECT_EQ(opening(tree, "inner/deep"), 0);
    for (const auto* path : {"out", "within/deep", "../outside", "inner/../../outside"}) {
      EXPECT_THAT(opening(tree, path), ::testing::AnyOf(ELOOP, ENOTDIR, EXDEV)) << path;
    }
  };
  check();
  ASSERT_TRUE(with_failing_calls({{SYS_openat2, ENOSYS}}, check));
}

class WithoutPrivileges : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can make what others cannot keep";
    fs::create_directory(folder_ / "from");
    write_file(folder_ / "from/theirs", "x");
    ::chown((folder_ / "from/theirs").c_str(), 4711, 4711);
    ::chmod((folder_ / "from/theirs").c_str(), 04755);
    ::mknod((folder_ / "from/null").c_str(), S_IFCHR | 0600, 0x0103);
  }
  testing::Copied copy_without(Wishes wishes, bool allow) {
    testing::Copied done;
    const std::vector<FailingCall> calls{{SYS_fchown, EPERM}, {SYS_fchownat, EPERM}, {SYS_mknodat, EPERM}};
    EXPECT_TRUE(with_failing_calls(calls, [&] {
      done = copy(folder_ / "from", folder_ / "to", wishes, {}, 1, Compression::kAuto, {.allow_losses = allow});
    }));
    return done;
  }
  Folder folder_;
};

TEST_F(WithoutPrivileges, WhatIsNotKeptIsADifference) {
  const auto done = copy_without(kProof, false);
  EXPECT_EQ(done.send_failure, "");
  EXPECT_EQ(done.report.differing, 2U);
  ASSERT_EQ(done.report.differences.size(), 2U);
  EXPECT_EQ(done.report.differences[0].path, "null");
  EXPECT_EQ(done.report.differences[0].what, "device");
  EXPECT_EQ(done.report.differences[1].what, "mode, owner");
  std::vector<std::string> lost;
  lost.reserve(done.report.losses.size());
  for (const auto& loss : done.report.losses) lost.push_back(loss.what);
  EXPECT_THAT(lost, ::testing::UnorderedElementsAre("device", "owner", "mode"));
  struct stat is{};
  ::stat((folder_ / "to/theirs").c_str(), &is);
  EXPECT_EQ(is.st_mode & 07777U, 0755U) << "the rights of another owner are not lent";
}

TEST_F(WithoutPrivileges, UnlessThatIsAllowed) {
  const auto done = copy_without(kProof, true);
  EXPECT_EQ(done.report.differing, 0U);
  EXPECT_EQ(done.report.excused, 2U);
  EXPECT_TRUE(done.report.complete());
  EXPECT_FALSE(done.report.losses.empty());
}

TEST_F(WithoutPrivileges, OrARehearsal) {
  auto rehearsal = kProof;
  rehearsal.lenient = true;
  EXPECT_TRUE(copy_without(rehearsal, false).report.complete());
}

/// A small file system of its own, unmounted at the end.
class SmallDisk {
 public:
  explicit SmallDisk(std::string at, const char* options = "size=2m") : at_(std::move(at)) {
    fs::create_directory(at_);
    mounted_ = ::mount("mtc-test", at_.c_str(), "tmpfs", 0, options) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  void make_read_only() const { ::mount("", at_.c_str(), "", MS_REMOUNT | MS_RDONLY, "size=2m"); }

 private:
  std::string at_;
  bool mounted_ = false;
};

TEST(Faults, LeavesUnreadableNamesToTheReport) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  Folder folder;
  fs::create_directory(folder / "from");
  write_file(folder / "from/secret", "x");
  fs::permissions(folder / "from/secret", fs::perms::none);
  const auto done = copy(folder / "from", folder / "to");
  EXPECT_EQ(done.report.failed, 1U);
  ASSERT_EQ(done.report.failures.size(), 1U);
  EXPECT_EQ(done.report.failures[0].path, "secret");
}

TEST(Faults, AFullDiskIsToldToBothSides) {
  Folder folder;
  const SmallDisk disk(folder / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "a tmpfs cannot be mounted here";
  SeededRng rng(13);
  fs::create_directory(folder / "from");
  write_file(folder / "from/first", random_bytes(rng, 1000));
  write_file(folder / "from/much", random_bytes(rng, 8 * kChunk));
  const auto done = copy(folder / "from", folder / "disk/to");
  EXPECT_THAT(done.receive_failure, HasSubstr("write much: No space left on device"));
  EXPECT_THAT(done.send_failure, AllOf(HasSubstr("write much: No space left on device"),
                                       HasSubstr("the volume has 2097152 bytes, "), HasSubstr("enlarge the claim")));
  EXPECT_FALSE(fs::exists(folder / "disk/to/much"));
}

TEST(Faults, ADiskWithoutInodesIsNotCalledTooSmall) {
  Folder folder;
  const SmallDisk disk(folder / "disk", "size=2m,nr_inodes=20");
  if (!disk.mounted()) GTEST_SKIP() << "a tmpfs cannot be mounted here";
  fs::create_directory(folder / "from");
  for (int i = 0; i < 40; ++i) write_file(folder / ("from/" + std::to_string(i)), "x");
  const auto done = copy(folder / "from", folder / "disk/to");
  EXPECT_THAT(done.send_failure,
              AllOf(HasSubstr("No space left on device"), HasSubstr("all of the volume's 20 inodes")));
}

TEST(Faults, AQuotaThatIsUsedUpIsToldToBothSides) {
  for (const auto size : {std::size_t{1000}, 3 * kChunk}) {
    Folder folder;
    const auto done = copy_while_failing(folder, {SYS_pwrite64, EDQUOT}, size);
    for (const auto& failure : {done.send_failure, done.receive_failure})
      EXPECT_THAT(failure,
                  HasSubstr("write file: Disk quota exceeded (a quota of the destination's storage is used up: "));
  }
}

TEST(Faults, DoesNotLeaveItsFileSystem) {
  Folder folder;
  fs::create_directory(folder / "from");
  const SmallDisk disk(folder / "from/other");
  if (!disk.mounted()) GTEST_SKIP() << "a tmpfs cannot be mounted here";
  write_file(folder / "from/other/file", "not ours");
  const auto done = copy(folder / "from", folder / "to");
  EXPECT_FALSE(fs::exists(folder / "to/other/file"));
  ASSERT_EQ(done.report.failures.size(), 1U);
  EXPECT_THAT(done.report.failures[0].what, HasSubstr("mounted"));
}

TEST(Faults, AReadOnlyDiskIsToldToBothSides) {
  Folder folder;
  const SmallDisk disk(folder / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "a tmpfs cannot be mounted here";
  fs::create_directory(folder / "disk/to");
  disk.make_read_only();
  fs::create_directory(folder / "from");
  write_file(folder / "from/file", "x");
  const auto done = copy(folder / "from", folder / "disk/to");
  EXPECT_THAT(done.receive_failure, HasSubstr("file: Read-only file system"));
  EXPECT_THAT(done.send_failure, HasSubstr("file: Read-only file system"));
}

}  // namespace
}  // namespace mtc::volume
