#include "volume/wire.hpp"

#include <filesystem>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"
#include "net/testing/outcome.hpp"
#include "volume/testing/random_tree.hpp"
#include "volume/transfer.hpp"

namespace mtc::volume {
namespace {

using ::testing::HasSubstr;

Entry file(std::string name) {
  Entry entry;
  entry.name = std::move(name);
  entry.mode = 0640;
  entry.size = 5;
  entry.mtime_ns = -1;
  entry.xattrs = {{"user.a", "1"}, {"user.b", std::string("\0", 1)}};
  return entry;
}

std::string refusal(const std::function<void()>& decode) {
  try {
    decode();
  } catch (const Error& failure) {
    return failure.code() == Code::kCorrupt ? failure.message() : "another code: " + failure.message();
  }
  return "";
}

std::string refusal_of(const Entry& entry) {
  Writer to;
  encode(to, entry);
  return refusal([&] {
    Reader from(to.bytes());
    decode_entry(from);
  });
}

TEST(Entry, IsReadAsItWasWritten) {
  Writer to;
  encode(to, file("a\nb\xff"));
  Reader from(to.bytes());
  EXPECT_EQ(decode_entry(from), file("a\nb\xff"));
  EXPECT_TRUE(from.done());
}

TEST(Entry, IsRefusedIfNoFileSystemHasIt) {
  for (const auto* name : {"..", ".", "a/b", "/etc", ""}) EXPECT_NE(refusal_of(file(name)), "") << name;
  EXPECT_NE(refusal_of(file(std::string("a\0b", 3))), "");
  EXPECT_NE(refusal_of(file(std::string(256, 'n'))), "");
  auto entry = file("x");
  entry.mode = 0100644;
  EXPECT_NE(refusal_of(entry), "");
  entry = file("x");
  entry.target = "somewhere";
  EXPECT_NE(refusal_of(entry), "");
  entry = file("x");
  std::swap(entry.xattrs[0], entry.xattrs[1]);
  EXPECT_NE(refusal_of(entry), "");
  EXPECT_NE(refusal([] {
              Reader from(std::string_view("\xff\xff\xff\xff", 4));
              decode_entry(from);
            }),
            "");
}

TEST(Wire, PathsStayInTheTree) {
  for (const auto* path : {"..", "a/../b", "/a", "a//b", "a/", "./a"}) EXPECT_FALSE(is_safe_path(path)) << path;
  for (const auto* path : {"", "a", "a/b", "..a", "a/...", " "}) EXPECT_TRUE(is_safe_path(path)) << path;
  EXPECT_NE(refusal([] { decode_links(encode(std::vector<Link>{{"a", "../../etc/shadow"}})); }), "");
  Batch batch;
  batch.segments.push_back({"a/../..", "", true, {}});
  EXPECT_THAT(refusal([&] { decode_list(encode(batch, {{}})); }), HasSubstr("out of the tree"));
}

TEST(Wire, NamesComeInOrder) {
  Batch batch;
  batch.segments.push_back({"", "", true, {{file("b")}, {file("a")}}});
  EXPECT_THAT(refusal([&] { decode_list(encode(batch, {{false, false}})); }), HasSubstr("order"));
}

TEST(Wire, ReportsAreReadAsTheyWereWritten) {
  Report report;
  report.bytes = 7;
  report.failures.push_back({"a", "b"});
  report.lose("owner", 2, "e");
  report.differences.push_back({"c", "mode"});
  report.source_root = std::string(32, 'x');
  const auto again = decode_report(encode(report));
  EXPECT_EQ(again.bytes, 7U);
  EXPECT_EQ(again.failures.front().what, "b");
  EXPECT_EQ(again.losses.front().count, 2U);
  EXPECT_EQ(again.differences.front().path, "c");
  EXPECT_EQ(again.source_root, report.source_root);
}

TEST(Wire, MutilatedMessagesAreRefusedNotBelieved) {
  SeededRng rng(3);
  Batch batch;
  batch.segments.push_back({"dir", "", true, {{file("a")}, {file("b")}}});
  const auto whole = encode(batch, {{false, true}});
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = whole;
    for (auto n = rng.below(4); n > 0; --n) bytes[rng.below(bytes.size())] = static_cast<char>(rng.next());
    bytes.resize(bytes.size() - (rng.below(3) == 0 ? rng.below(bytes.size()) : 0));
    try {
      for (const auto& segment : decode_list(bytes).batch.segments) EXPECT_TRUE(is_safe_path(segment.path));
    } catch (const Error& failure) {
      EXPECT_EQ(failure.code(), Code::kCorrupt) << failure.what();
    }
  }
}

/// A sender that says hello and then what it likes.
Task<std::string> received_from(std::string root, std::vector<Frame> says) {
  auto [ours, theirs] = net::make_pipe(4 << 20);
  Frames sender(std::move(ours));
  co_await sender.write(Kind::kHello, encode(Hello{std::string(16, 's'), 0, 1, false, {}}));
  for (auto& frame : says) co_await sender.write(std::move(frame));
  auto talk = [](net::StreamPtr stream, std::string into) -> Task<void> {
    std::vector<Lane> lanes;
    lanes.push_back(co_await meet(std::move(stream)));
    co_await receive_tree({.root = into}, std::move(lanes));
  };
  auto listen = [](Frames* from) -> Task<void> {
    for (;;) co_await from->read();
  };
  auto hear = [](Frames* from, Task<void> reading) -> Task<void> {
    co_await net::testing::failure_of(std::move(reading));
    co_await from->close();
  };
  auto result = [](Task<void> task, std::string* into) -> Task<void> {
    *into = co_await net::testing::failure_of(std::move(task));
  };
  std::string failure;
  std::vector<Task<void>> both;
  both.push_back(result(talk(std::move(theirs), root), &failure));
  both.push_back(hear(&sender, listen(&sender)));
  co_await async::all(std::move(both));
  co_return failure;
}

TEST(Wire, AHostileSenderIsShownTheDoor) {
  testing::Folder folder;
  Batch batch;
  batch.segments.push_back({"", "", true, {{file("a")}}});
  const Frame list{Kind::kList, encode(batch, {{false}})};
  const auto files = [](std::string name, std::uint32_t entry) {
    Writer to;
    to.u64(0);
    encode(to, FileHead{{0, entry}, Content::kComplete, file(std::move(name))});
    to.text("12345");
    return Frame{Kind::kFiles, to.bytes()};
  };
  const std::vector<std::vector<Frame>> attacks{
      {files("a", 0)},                               // content of a batch that was not listed
      {list, files("a", 9)},                         // of an entry beyond the list
      {list, files("b", 0)},                         // under another name
      {list, list},                                  // the same batch twice
      {{Kind::kChunk, std::string(20, 'x')}},        // a chunk of nothing
      {{Kind::kFinish, {}}},                         // the end at the beginning
      {{Kind::kList, "nonsense"}},                   //
      {{Kind::kList, std::string(100, 'z'), true}},  // no zstd
      {list, {Kind::kLaneDone, {}}},                 // gone with work undone
      {{Kind::kBegin, std::string(21, '\0')}},       //
      {{Kind::kVerdict, {}}},                        // the receiver's word
  };
  for (std::size_t i = 0; i < attacks.size(); ++i) {
    net::testing::run([](std::string root, std::vector<Frame> says, std::size_t number) -> Task<void> {
      EXPECT_THAT(co_await received_from(root, std::move(says)), HasSubstr("Corrupt")) << number;
    }(folder.path(), attacks[i], i));
  }
}

Task<void> read_one(Frames* from) { co_await from->read(); }

TEST(Frames, APeerThatSaysNothingIsNotWaitedForForEver) {
  net::testing::run([]() -> Task<void> {
    auto [ours, theirs] = net::make_pipe();
    Frames frames(std::move(ours));
    EXPECT_THAT(
        co_await net::testing::failure_of(attended({&frames}, std::chrono::milliseconds(50), read_one(&frames))),
        HasSubstr("Unavailable: heard nothing from pipe for 0.05 s"));
  }());
}

TEST(Frames, APeerThatWorksIsHeard) {
  net::testing::run([]() -> Task<void> {
    constexpr auto kSilent = std::chrono::milliseconds(200);
    auto [ours, theirs] = net::make_pipe();
    Frames near(std::move(ours));
    Frames far(std::move(theirs));
    // Works for three times as long as anybody may be silent, then answers.
    auto work = [](Frames* to, Duration whole) -> Task<void> {
      co_await async::sleep_for(whole);
      co_await to->write(Kind::kWelcome, "done");
    };
    auto wait = [](Frames* from) -> Task<void> { EXPECT_EQ(co_await from->expect(Kind::kWelcome), "done"); };
    std::vector<Task<void>> both;
    both.push_back(attended({&near}, kSilent, wait(&near)));
    both.push_back(attended({&far}, kSilent, work(&far, 3 * kSilent)));
    co_await async::all(std::move(both));
  }());
}

TEST(Wire, ALinkIsNoWayOut) {
  testing::Folder folder;
  std::filesystem::create_directories(folder / "outside");
  testing::write_file(folder / "outside/secret", "secret");
  // The sender makes a link that leads out, and then writes through it as if it were a directory.
  Batch first;
  Entry link;
  link.name = "a";
  link.type = Type::kSymlink;
  link.target = folder / "outside";
  first.segments.push_back({"", "", true, {{link}}});
  Batch second;
  second.number = 1;
  second.segments.push_back({"a", "", true, {{file("x")}}});
  Writer content;
  content.u64(1);
  encode(content, FileHead{{0, 0}, Content::kComplete, file("x")});
  content.text("12345");
  const std::vector<Frame> says{{Kind::kList, encode(first, {{false}})},
                                {Kind::kList, encode(second, {{false}})},
                                {Kind::kFiles, content.bytes()},
                                {Kind::kBatchDone, Writer().u64(0).bytes()},
                                {Kind::kBatchDone, Writer().u64(1).bytes()},
                                {Kind::kLaneDone, {}},
                                {Kind::kLinks, encode(std::vector<Link>{{"a/y", "a/x"}, {"z", "a/secret"}})},
                                {Kind::kVerdict, {}}};
  net::testing::run([](std::string root, std::vector<Frame> frames) -> Task<void> {
    EXPECT_THAT(co_await received_from(root, std::move(frames)), HasSubstr("Corrupt"));
  }(folder / "to", says));
  EXPECT_TRUE(std::filesystem::is_directory(std::filesystem::symlink_status(folder / "to/a")));
  EXPECT_TRUE(std::filesystem::exists(folder / "to/a/x"));
  EXPECT_FALSE(std::filesystem::exists(folder / "outside/x"));
  EXPECT_FALSE(std::filesystem::exists(folder / "to/z"));
}

TEST(Wire, AbsurdLengthsAreRefusedBeforeTheyAreBelieved) {
  testing::Folder folder;
  const auto heard = [&](std::string bytes) {
    std::string failure;
    net::testing::run([](std::string raw, std::string* into) -> Task<void> {
      auto [ours, theirs] = net::make_pipe(1 << 20);
      co_await ours->write_all(raw);
      auto greet = [](net::StreamPtr stream) -> Task<void> { co_await meet(std::move(stream)); };
      *into = co_await net::testing::failure_of(greet(std::move(theirs)));
    }(std::move(bytes), &failure));
    return failure;
  };
  EXPECT_THAT(heard(Writer().u32(0xFFFFFFFF).u32(1).bytes()), HasSubstr("no message of the volume protocol"));
  EXPECT_THAT(heard(Writer().u32(4).u8(200).u8(0).u8(0).u8(0).u32(0).bytes()), HasSubstr("no message"));
  EXPECT_THAT(heard(Writer().u32(4).u32(1).u32(0).bytes()), HasSubstr("Corrupt"));
  Writer many;
  many.u64(0).u32(0x7FFFFFFF);
  EXPECT_NE(refusal([&] { decode_list(many.bytes()); }), "");
}

}  // namespace
}  // namespace mtc::volume
