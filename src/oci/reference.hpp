#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "oci/digest.hpp"

namespace mtc::oci {

/// Where an image lies: registry[:port]/repository[:tag][@digest].
struct Reference {
  std::string registry;          ///< "quay.io", "10.0.0.1:5000"; "docker.io" where the text names none
  std::string repository;        ///< "library/busybox"; at most 255 bytes
  std::string tag = {};          ///< at most 128 bytes; "" = none
  std::optional<Digest> digest;  ///< names the manifest; a tag beside it is for people

  /// Reads what Docker reads, into its normal form: "busybox" is docker.io/library/busybox. The first part is a
  /// registry if it has a dot or a port, or is "localhost". Throws Error(kInvalid) that quotes the text and says what
  /// is wrong with it.
  static Reference parse(std::string_view text);
  /// "registry/repository".
  std::string name() const { return registry + "/" + repository; }
  /// In full; parse() reads it back.
  std::string str() const;
  /// What its manifest is asked for by: the digest, or else the tag, or else "latest".
  std::string target() const;

  bool operator==(const Reference&) const = default;
};

/// Whether a registry would take it as a repository: components of [a-z0-9] with single separators, at most 255 bytes.
bool is_repository(std::string_view text);
/// [A-Za-z0-9_] and then at most 127 of [A-Za-z0-9_.-].
bool is_tag(std::string_view text);

}  // namespace mtc::oci
