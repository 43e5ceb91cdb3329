#include "oci/manifest.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"

namespace mtc::oci {
namespace {

constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
constexpr std::string_view kDockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
constexpr std::string_view kDockerSchema1 = "application/vnd.docker.distribution.manifest.v1+";  // json, prettyjws

bool is_index(std::string_view type) { return type == kOciIndex || type == kDockerList; }
bool is_known(std::string_view type) { return is_index(type) || type == kOciManifest || type == kDockerManifest; }

[[noreturn]] void refuse(std::string_view why) {
  throw Error(Code::kCorrupt, fmt::format("the manifest cannot be read: {}", why));
}

[[noreturn]] void refuse_schema1() {
  throw Error(Code::kUnsupported,
              "the image is of Docker's schema 1, whose digest would change on the way because registries rewrite it: "
              "push it again with a Docker of version 1.10 or newer");
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t most = 100;
  return fmt::format("\"{}\"", text.substr(0, most));
}

std::string platform_of(const Json& descriptor) {
  std::string out;
  for (const auto* part : {"platform.os", "platform.architecture", "platform.variant"}) {
    const auto text = string_at(descriptor, part);
    if (!text.empty()) out += (out.empty() ? "" : "/") + text;
  }
  return out;
}

Descriptor descriptor_of(const Json& json, std::string_view what) {
  const auto text = string_at(json, "digest");
  const auto digest = Digest::parse(text);
  if (!digest) refuse(fmt::format("{} has the digest {}, which is none that is known", what, in_quotes(text)));
  const auto size = int_at(json, "size");
  if (!size || *size < 0) refuse(fmt::format("{} {} has no size", what, digest->str()));
  return {string_at(json, "mediaType"), *digest, static_cast<std::uint64_t>(*size), strings_at(json, "urls"),
          platform_of(json)};
}

std::vector<Descriptor> descriptors_of(const Json& json, std::string_view what) {
  std::vector<Descriptor> out;
  if (!json.is_array()) refuse(fmt::format("there is no list of {}s", what));
  for (const auto& one : json) out.push_back(descriptor_of(one, what));
  return out;
}

/// What it says itself counts before what the registry calls it, which may be "application/json".
std::string type_of(const Json& json, std::string_view content_type) {
  const auto semicolon = content_type.find(';');
  std::string outer(trim(content_type.substr(0, semicolon)));
  auto inner = string_at(json, "mediaType");
  const bool schema1 = inner.starts_with(kDockerSchema1) || outer.starts_with(kDockerSchema1);
  if (schema1 || int_at(json, "schemaVersion") == 1) refuse_schema1();
  if (!inner.empty()) {
    if (is_known(outer) && outer != inner) {
      refuse(fmt::format("it says that it is {}, and the registry that it is {}", in_quotes(inner), outer));
    }
    return inner;
  }
  if (is_known(outer)) return outer;
  if (!outer.empty() && outer != "application/json" && outer != "text/plain" && outer != "application/octet-stream") {
    return outer;
  }
  return std::string(member(json, "manifests") != nullptr ? kOciIndex : kOciManifest);
}

}  // namespace

bool is_foreign(const Descriptor& layer) {
  return !layer.urls.empty() && (layer.media_type.contains("foreign") || layer.media_type.contains("nondistributable"));
}

Manifest Manifest::parse(std::string_view text, std::string_view content_type) {
  const auto json = parse_json(text, {.max_bytes = kMaxManifestBytes});
  if (!json.is_object()) refuse("it is no JSON object");
  Manifest out;
  out.media_type = type_of(json, content_type);
  if (!is_known(out.media_type)) {
    throw Error(Code::kUnsupported, fmt::format("the manifest is of the type {}, which is none of an image or a list "
                                                "of images",
                                                in_quotes(out.media_type)));
  }
  // Two programs could read it in two ways, and each believe that the digest vouches for it.
  const auto *manifests = member(json, "manifests"), *layers = member(json, "layers"), *config = member(json, "config");
  if (manifests != nullptr && (layers != nullptr || config != nullptr)) refuse("it is an image and a list at once");
  if (is_index(out.media_type)) {
    out.kind = Kind::kIndex;
    if (manifests == nullptr) refuse("the list has no manifests");
    out.manifests = descriptors_of(*manifests, "manifest");
    return out;
  }
  if (config == nullptr || layers == nullptr) refuse("the image has no config or no layers");
  out.config = descriptor_of(*config, "config");
  out.layers = descriptors_of(*layers, "layer");
  return out;
}

std::string_view accepted_manifests() {
  static const auto all = fmt::format("{}, {}, {}, {}", kOciIndex, kDockerList, kOciManifest, kDockerManifest);
  return all;
}

}  // namespace mtc::oci
