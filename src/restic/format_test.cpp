#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "restic/compress.hpp"
#include "restic/config.hpp"
#include "restic/files.hpp"
#include "restic/index_file.hpp"
#include "restic/lock_file.hpp"
#include "restic/pack.hpp"
#include "restic/references.hpp"
#include "restic/snapshot.hpp"
#include "restic/testing/content.hpp"

// What files hold, and what is refused in them.

namespace mtc::restic {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::noise;
using ::testing::ThrowsMessage;

template <typename F>
void expect_refused(F read, const std::string& text, std::string_view because) {
  EXPECT_THAT([&] { read(text); }, ThrowsMessage<Error>(HasSubstr(std::string(because)))) << text.substr(0, 200);
}

const std::string kId1(64, '1');
const std::string kId2(64, '2');

PackedBlob blob(char digit, std::uint32_t offset, std::uint32_t length, std::uint32_t plain, bool compressed,
                BlobType type = BlobType::kData) {
  return {*Id::parse(std::string(64, digit)), offset, length, plain, type, compressed};
}

TEST(Id, IsSixtyFourLowerCaseHexDigits) {
  EXPECT_EQ(Id::of("").hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Id::parse(Id::of("a").hex()), Id::of("a"));
  EXPECT_EQ(Id::parse(std::string(63, '1')), std::nullopt);
  EXPECT_EQ(Id::parse(std::string(64, 'A')), std::nullopt);
  EXPECT_EQ(Id::parse("../" + std::string(61, '1')), std::nullopt);
}

TEST(Layout, IsThatOfResticsFolders) {
  EXPECT_EQ(Layout("p").file(FileType::kPack, *Id::parse(kId1)), "p/data/11/" + kId1);
  EXPECT_EQ(Layout("p/").file(FileType::kSnapshot, *Id::parse(kId1)), "p/snapshots/" + kId1);
  EXPECT_EQ(Layout("").config(), "config");
}

TEST(PackHeader, HasTheBytesOfItsSpecification) {
  const std::vector blobs{blob('1', 0, 0x104, 0xe4, false), blob('2', 0x104, 0x40, 0x203, true, BlobType::kTree)};
  const auto header = encode_pack_header(blobs);
  EXPECT_EQ(header, std::string("\x00\x04\x01\x00\x00", 5) + std::string(32, '\x11') +
                        std::string("\x03\x40\x00\x00\x00\x03\x02\x00\x00", 9) + std::string(32, '\x22'));
  EXPECT_EQ(decode_pack_header(header), blobs);
  EXPECT_EQ(pack_size(blobs), 0x104U + 0x40U + 37U + 41U + 32U + 4U);
}

TEST(PackHeader, RefusesWhatCannotBe) {
  const auto entry = encode_pack_header(std::vector{blob('1', 0, 100, 68, false)});
  expect_refused(decode_pack_header, entry.substr(0, 36), "ends within a blob");
  expect_refused(decode_pack_header, "\x04" + entry.substr(1), "unknown type 4");
  expect_refused(decode_pack_header, std::string("\x00\x10\x00\x00\x00", 5) + entry.substr(5), "smaller than its own");
  expect_refused(decode_pack_header, std::string("\x00\xff\xff\xff\xff", 5) + entry.substr(5), "cannot have");
}

TEST(Pack, IsReadAsItWasWritten) {
  const auto key = make_key();
  Pack pack;
  pack.add({BlobType::kData, *Id::parse(kId1), encrypt(key, "one"), 3, false});
  pack.add({BlobType::kData, *Id::parse(kId2), encrypt(key, "frame"), 77, true});
  const auto finished = std::move(pack).finish(key);
  EXPECT_EQ(finished.bytes.size(), pack_size(finished.blobs));
  EXPECT_EQ(finished.id, Id::of(finished.bytes));
  const auto read = [&](const std::string& bytes) { return read_pack(key, bytes); };
  EXPECT_EQ(read(finished.bytes), finished.blobs);
  expect_refused(read, finished.bytes.substr(1), "does not fit its size");
  expect_refused(read, finished.bytes.substr(0, 20), "too small");
  expect_refused(read, finished.bytes.substr(0, finished.bytes.size() - 4) + "\xff\xff\xff\x7f", "impossible");
  auto changed = finished.bytes;
  changed[changed.size() - 10] ^= 1;
  expect_refused(read, changed, "was changed");
}

TEST(IndexFile, IsReadAsItWasWritten) {
  const IndexFile file{{*Id::parse(kId2)},
                       {{*Id::parse(kId1), {blob('3', 0, 40, 8, false), blob('4', 40, 50, 99, true)}},
                        {*Id::parse(kId2), {blob('5', 0, 60, 70, true, BlobType::kTree)}}}};
  const auto text = encode_index(file);
  EXPECT_THAT(text, HasSubstr(R"("type":"data","offset":40,"length":50,"uncompressed_length":99})"));
  const auto again = decode_index(text);
  EXPECT_EQ(again.supersedes, file.supersedes);
  ASSERT_EQ(again.packs.size(), 2U);
  EXPECT_EQ(again.packs[0].id, file.packs[0].id);
  EXPECT_EQ(again.packs[0].blobs, file.packs[0].blobs);
  EXPECT_EQ(again.packs[1].blobs, file.packs[1].blobs);
  EXPECT_EQ(encode_index({}), R"({"packs":[]})");
}

TEST(IndexFile, ReadsOverWhatItDoesNotKnow) {
  const auto text = R"({"new":[{"packs":[1]}],"packs":[{"x":{"id":"y"},"blobs":[{"id":")" + kId1 +
                    R"(","type":"data","offset":0,"length":40,"more":[{"id":"z"}]}],"id":")" + kId2 + R"("}]})";
  const auto file = decode_index(text);
  ASSERT_EQ(file.packs.size(), 1U);
  EXPECT_EQ(file.packs[0].id.hex(), kId2);
  EXPECT_THAT(file.packs[0].blobs, ElementsAre(blob('1', 0, 40, 8, false)));
}

TEST(IndexFile, RefusesWhatCannotBe) {
  const auto with = [](const std::string& members) {
    return R"({"packs":[{"id":")" + kId2 + R"(","blobs":[{)" + members + "}]}]}";
  };
  const auto id = R"("id":")" + kId1 + R"(",)";
  expect_refused(decode_index, "", "broken");
  expect_refused(decode_index, "[]", "before 2015");
  expect_refused(decode_index, "{}", "names no packs");
  expect_refused(decode_index, R"({"packs":[{"blobs":[]}]})", "no id");
  expect_refused(decode_index, R"({"packs":[{"id":"../1","blobs":[]}]})", "not 64 hex digits");
  expect_refused(decode_index, with(R"("type":"data","offset":0,"length":40)"), "no id or no type");
  expect_refused(decode_index, with(id + R"("type":"file","offset":0,"length":40)"), "unknown type");
  expect_refused(decode_index, with(id + R"("type":"data","offset":0,"length":31)"), "cannot have");
  expect_refused(decode_index, with(id + R"("type":"data","offset":0,"length":-40)"), "cannot have");
  expect_refused(decode_index, with(id + R"("type":"data","offset":5000000000,"length":40)"), "beyond");
  expect_refused(decode_index, with(id + R"("type":"data","offset":4294967290,"length":40)"), "beyond");
  expect_refused(decode_index, with(id + R"("type":"data","offset":0,"length":40,"uncompressed_length":4000000000)"),
                 "cannot have");
  expect_refused(decode_index, R"({"packs":)" + std::string(1000, '['), "too deeply");
}

TEST(Snapshot, IsReadAsItWasWritten) {
  const Snapshot snapshot{.parent = Id::parse(kId1),
                          .tree = *Id::parse(kId2),
                          .time = *parse_rfc3339("2024-05-06T07:08:09.123456Z"),
                          .paths = {"/data"},
                          .tags = {"a=b"},
                          .hostname = "shop/db",
                          .username = "mtc",
                          .uid = 7,
                          .gid = 8,
                          .program_version = "mtc 0.1.0"};
  const auto again = decode_snapshot(encode_snapshot(snapshot));
  EXPECT_EQ(encode_snapshot(again), encode_snapshot(snapshot));
  EXPECT_EQ(again.tree, snapshot.tree);
  EXPECT_EQ(again.time, snapshot.time);
  EXPECT_EQ(again.parent, snapshot.parent);
  EXPECT_EQ(again.gid, 8U);
}

TEST(Snapshot, RefusesWhatCannotBe) {
  const auto time = R"({"time":"2024-05-06T07:08:09Z")";
  expect_refused(decode_snapshot, "", "");
  expect_refused(decode_snapshot, R"({"tree":")" + kId1 + R"("})", "time");
  expect_refused(decode_snapshot, time + std::string("}"), "no tree");
  expect_refused(decode_snapshot, time + std::string(R"(,"tree":"12"})"), "not 64 hex digits");
  expect_refused(decode_snapshot, time + (R"(,"uid":-1,"tree":")" + kId1 + R"("})"), "uid");
}

TEST(Config, RefusesWhatCannotBe) {
  const auto with = [](const std::string& version, const std::string& id, const std::string& polynomial) {
    return R"({"version":)" + version + R"(,"id":")" + id + R"(","chunker_polynomial":")" + polynomial + R"("})";
  };
  EXPECT_EQ(decode_config(with("1", kId1, "25b468838dcb75")).chunker_polynomial, 0x25b468838dcb75U);
  expect_refused(decode_config, with("3", kId1, "25b468838dcb75"), "format 3");
  expect_refused(decode_config, with("2", "1", "25b468838dcb75"), "64 hex digits");
  expect_refused(decode_config, with("2", kId1, "25b468838dcb74"), "irreducible");
  expect_refused(decode_config, with("2", kId1, "x"), "irreducible");
}

TEST(References, AreThoseOfDirectoriesAndFiles) {
  const auto found = decode_references(R"({"nodes":[{"name":"d","type":"dir","content":null,"subtree":")" + kId1 +
                                       R"("},{"name":"f","type":"file","content":[")" + kId2 + R"("]},)" +
                                       R"({"name":"l","type":"symlink","extended":{"subtree":"x","content":["y"]}}]})");
  EXPECT_THAT(found.trees, ElementsAre(*Id::parse(kId1)));
  EXPECT_THAT(found.data, ElementsAre(*Id::parse(kId2)));
  EXPECT_THAT(decode_references(R"({"nodes":null})").trees, ElementsAre());
  expect_refused(decode_references, "{}", "no nodes");
  expect_refused(decode_references, R"({"nodes":[{"type":"dir"}]})", "no tree");
  expect_refused(decode_references, R"({"nodes":[{"type":"file","content":null}]})", "no content");
  expect_refused(decode_references, R"({"nodes":[{"type":"file","content":["x"]}]})", "64 hex digits");
}

TEST(Compress, IsBoundedWhereItIsUndone) {
  const std::string zeros(8'000'000, '\0');
  const std::string frame(compress(zeros));
  EXPECT_LT(frame.size(), 10'000U);
  EXPECT_EQ(decompress(frame, zeros.size()), zeros);
  EXPECT_EQ(decompress(frame + frame, 2 * zeros.size()), zeros + zeros);
  const auto undo = [](const std::string& bytes) { return decompress(bytes, 7'999'999); };
  expect_refused(undo, frame, "larger than it may be");
  expect_refused(undo, std::string(compress("a")) + frame, "larger than it may be");
  expect_refused(undo, frame.substr(0, frame.size() - 1), "");
  expect_refused(undo, "no frame", "no zstd frame");
  const auto exactly = [](const std::string& bytes) { return decompress_exactly(bytes, 7'999'999); };
  expect_refused(exactly, frame, "");
}

TEST(Compress, SeesWhatDoesNotCompress) {
  EXPECT_FALSE(compresses(noise(1'000'000)));
  EXPECT_TRUE(compresses(std::string(1'000'000, 'x')));
  EXPECT_TRUE(compresses(noise(500'000) + std::string(600'000, 'x')));
  EXPECT_TRUE(compresses("short"));
}

TEST(Document, IsReadInEveryEncoding) {
  const auto key = make_key();
  EXPECT_EQ(unseal_document(key, seal_document(key, 1, "{}")), "{}");
  EXPECT_EQ(unseal_document(key, seal_document(key, 2, "{}")), "{}");
  EXPECT_EQ(unseal_document(key, encrypt(key, "[1]")), "[1]");
  const auto read = [&](const std::string& bytes) { return unseal_document(key, bytes); };
  expect_refused(read, encrypt(key, "\x03{}"), "unknown encoding");
  expect_refused(read, encrypt(key, ""), "empty");
  expect_refused(read, encrypt(make_key(), "{}"), "another key");
  expect_refused(read, "", "another key");
}

}  // namespace
}  // namespace mtc::restic
