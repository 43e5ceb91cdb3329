#include "blob/s3_xml.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"

namespace mtc::blob {
namespace {

/// encoding-type=url is form encoding: a plus stands for a blank.
std::string decoded(std::string text) {
  std::ranges::replace(text, '+', ' ');
  return percent_decode(text).value_or(text);
}

ObjectInfo parse_object(const pugi::xml_node& node) {
  ObjectInfo info;
  info.key = node.child_value("Key");
  info.size = node.child("Size").text().as_ullong();
  info.etag = unquoted(node.child_value("ETag"));
  if (const auto modified = parse_rfc3339(node.child_value("LastModified"))) info.modified = *modified;
  return info;
}

}  // namespace

std::string xml_text(std::string_view xml, std::string_view element) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return "";
  return document.find_node([&](const pugi::xml_node& node) { return node.name() == element; }).child_value();
}

std::string xml_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      case '\r': out += "&#13;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string unquoted(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

ListPage parse_listing(std::string_view xml, std::string_view store) {
  pugi::xml_document document;
  const auto parsed = document.load_buffer(xml.data(), xml.size());
  const auto root = document.child("ListBucketResult");
  if (!parsed || !root) {
    throw Error(Code::kUnsupported,
                fmt::format("{} does not answer a listing as S3 does: is it an S3 endpoint?", store));
  }
  const bool encoded = std::string_view(root.child_value("EncodingType")) == "url";
  ListPage page;
  for (const auto& node : root.children("Contents")) {
    auto info = parse_object(node);
    if (encoded) info.key = decoded(std::move(info.key));
    page.objects.push_back(std::move(info));
  }
  for (const auto& node : root.children("CommonPrefixes")) {
    std::string prefix = node.child_value("Prefix");
    page.prefixes.push_back(encoded ? decoded(std::move(prefix)) : std::move(prefix));
  }
  if (!root.child("IsTruncated").text().as_bool()) return page;
  page.next = root.child_value("NextContinuationToken");
  if (page.next.empty()) {
    throw Error(Code::kUnsupported,
                fmt::format("{} cuts its listing short and does not say how to go on: it lacks ListObjectsV2", store));
  }
  return page;
}

}  // namespace mtc::blob
