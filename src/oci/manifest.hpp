#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oci/digest.hpp"

namespace mtc::oci {

/// What registries bound manifests to.
inline constexpr std::size_t kMaxManifestBytes = 4 * 1024 * 1024;

/// Names a manifest or a blob.
struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::vector<std::string> urls = {};  ///< where else it lies
  std::string platform = {};           ///< "linux/arm64/v8"; "" where none is named
};

/// A layer that licences forbid to distribute: registries do not hold it, and clients fetch it from its urls.
bool is_foreign(const Descriptor& layer);

/// What a manifest says of what belongs to it.
struct Manifest {
  enum class Kind {
    kImage,  ///< one image, or an artifact in its form
    kIndex,  ///< a list of manifests, of either kind
  };
  Kind kind = Kind::kImage;
  std::string media_type;
  std::optional<Descriptor> config = {};
  std::vector<Descriptor> layers = {};
  std::vector<Descriptor> manifests = {};

  /// Reads both families: Docker's (schema 2) and OCI's. `content_type` is what the registry calls it, which counts
  /// where the text does not say itself. Throws Error(kUnsupported) naming the type of what is neither, and the reason
  /// for schema 1; Error(kCorrupt) for text that is no manifest, that is an image and a list at once, or that
  /// contradicts its content type.
  static Manifest parse(std::string_view text, std::string_view content_type);
};

/// The Accept field of requests for manifests.
std::string_view accepted_manifests();

}  // namespace mtc::oci
