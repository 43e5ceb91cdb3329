#include "restic/node.hpp"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "restic/go_text.hpp"

namespace mtc::restic {
namespace {

using ::testing::HasSubstr;
using volume::Type;

Node some_node() {
  Node node;
  node.entry.name = "a\n\xff\"<\u00a0";
  node.entry.type = Type::kFile;
  node.entry.mode = 04755;
  node.entry.mtime_ns = 1'700'000'000'120'000'000;
  node.entry.uid = 7;
  node.entry.size = 3;
  node.entry.shared = true;
  node.entry.xattrs = {{"user.b", "abc"}, {"user.e", ""}};
  node.ctime_ns = -1;
  node.user = "web";
  node.device = 27;
  node.inode = 5;
  node.links = 2;
  node.content = {Id::of("abc")};
  return node;
}

std::string tree_of(std::string_view nodes) {
  return std::string(kTreeHead) + std::string(nodes) + std::string(kTreeEnd);
}

std::string failure_to_read(const std::string& json) {
  try {
    TreeReader reader(json, "here");
    while (reader.next()) {
    }
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Node, IsWrittenAsResticDoes) {
  std::string json;
  append_node(json, some_node());
  EXPECT_EQ(
      json,
      R"({"name":"a\\n\\xff\\\"\u003c\\u00a0","type":"file","mode":8389101,)"
      R"("mtime":"2023-11-14T22:13:20.12Z","atime":"2023-11-14T22:13:20.12Z",)"
      R"("ctime":"1969-12-31T23:59:59.999999999Z","uid":7,"gid":0,"user":"web","inode":5,"device_id":27,)"
      R"("size":3,"links":2,"extended_attributes":[{"name":"user.b","value":"YWJj"},{"name":"user.e","value":""}],)"
      R"("content":["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]})");
}

TEST(Node, IsReadAsItWasWritten) {
  const auto node = some_node();
  std::string json;
  append_node(json, node);
  Node directory;
  directory.entry.name = "b";
  directory.entry.type = Type::kDirectory;
  directory.subtree = Id::of("tree");
  json += ',';
  append_node(json, directory);
  EXPECT_EQ(json.substr(json.size() - kSubtreeTail, 64), Id::of("tree").hex());
  json = tree_of(json);
  TreeReader reader(json, "here");
  const auto read = reader.next();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->entry, node.entry);
  EXPECT_EQ(read->ctime_ns, node.ctime_ns);
  EXPECT_EQ(read->user, node.user);
  EXPECT_EQ(read->device, node.device);
  EXPECT_EQ(read->inode, node.inode);
  EXPECT_EQ(read->links, node.links);
  EXPECT_EQ(read->content, node.content);
  EXPECT_EQ(reader.next()->subtree, directory.subtree);
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.next());
}

TEST(Node, ATargetThatIsNoTextIsKept) {
  Node node;
  node.entry.name = "link";
  node.entry.type = Type::kSymlink;
  node.entry.target = "t\xfft";
  std::string json;
  append_node(json, node);
  EXPECT_THAT(json, HasSubstr(R"("linktarget":"t\ufffdt","linktarget_raw":"dP90")"));
  const auto tree = tree_of(json);
  EXPECT_EQ(TreeReader(tree, "here").next()->entry.target, node.entry.target);
}

TEST(Node, MembersThatAreNotKnownAreReadOver) {
  const std::string json = R"({"nodes":[ {"new":{"a":[1,{"b":null}],"c":"}"}, "name":"x", "type":"file",)"
                           R"( "generic_attributes":null, "content":null} ]})";
  TreeReader reader(json, "here");
  EXPECT_EQ(reader.next()->entry.name, "x");
  EXPECT_FALSE(reader.next());
}

TEST(Node, AnEmptyTreeHasNone) {
  for (const auto* json : {"{\"nodes\":[]}\n", "{\"nodes\":null}\n"}) EXPECT_FALSE(TreeReader(json, "here").next());
}

TEST(Node, WhatNoFileSystemSaysIsRefused) {
  const auto file = [](std::string_view members) { return tree_of(fmt::format(R"({{"type":"file",{}}})", members)); };
  EXPECT_THAT(failure_to_read(file(R"("name":"..")")), HasSubstr("impossible name"));
  EXPECT_THAT(failure_to_read(file(R"("name":"a/b")")), HasSubstr("impossible name"));
  EXPECT_THAT(failure_to_read(file(R"("name":"a\\")")), HasSubstr("impossible name"));
  EXPECT_THAT(failure_to_read(file(R"("name":"x","uid":4294967296)")), HasSubstr("owner"));
  EXPECT_THAT(failure_to_read(file(R"("name":"x","size":-1)")), HasSubstr("number"));
  EXPECT_THAT(failure_to_read(file(R"("name":"x","size":18446744073709551615)")), HasSubstr("size"));
  EXPECT_THAT(failure_to_read(file(R"("name":"x","content":["00"])")), HasSubstr("broken id"));
  EXPECT_THAT(failure_to_read(file(R"("name":"x","linktarget":"y")")), HasSubstr("target"));
  EXPECT_THAT(failure_to_read(file(R"("name":"x","device":5)")), HasSubstr("device"));
  EXPECT_THAT(failure_to_read(tree_of(R"({"name":"x","type":"dir"})")), HasSubstr("subtree"));
  EXPECT_THAT(failure_to_read(tree_of(R"({"name":"x","type":"door"})")), HasSubstr("door"));
  const std::string twice = R"({"name":"x","type":"file"},{"name":"x","type":"file"})";
  EXPECT_THAT(failure_to_read(tree_of(twice)), HasSubstr("out of order"));
  EXPECT_THAT(failure_to_read(std::string(kTreeHead)), HasSubstr("no JSON"));
  EXPECT_THAT(failure_to_read(tree_of("") + "x"), HasSubstr("behind its end"));
  EXPECT_THAT(failure_to_read(tree_of(R"({"x":)" + std::string(100'000, '['))), HasSubstr("too deep"));
}

TEST(GoText, IsQuotedAndUnquotedAsGoDoes) {
  const std::string odd("\a\b\f\n\r\t\v\\\"'\0\x7f\xff\xc3\xa4\xe2\x80\xa8\xf0\x9f\x98\x80\xf3\xa0\x80\x81", 26);
  std::string quoted;
  append_go_quoted(quoted, odd);
  EXPECT_EQ(quoted, R"(\a\b\f\n\r\t\v\\\"'\x00\x7f\xffä\u2028😀\U000e0001)");
  EXPECT_EQ(go_unquoted(quoted), odd);
  EXPECT_EQ(go_unquoted(R"(\101)"), "A");
  for (const auto* broken : {"\\", "\\q", "\\x1", "\\ud800", "\\U00110000", "\\400", "\"", "\n", "\\'"}) {
    EXPECT_EQ(go_unquoted(broken), std::nullopt) << broken;
  }
}

}  // namespace
}  // namespace mtc::restic
