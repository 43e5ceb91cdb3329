#pragma once

#include <cstdint>
#include <string>

#include "base/rng.hpp"

namespace mtc::restic {

/// The file `config`: what all users of a repository must agree on.
struct Config {
  unsigned version = 2;
  std::string id;  ///< 64 hex digits that name the repository
  std::uint64_t chunker_polynomial = 0;
};

Config make_config(Rng& rng);
std::string encode_config(const Config& config);
/// Throws Error: kUnsupported for a format that is not 1 or 2, kCorrupt.
Config decode_config(const std::string& text);

}  // namespace mtc::restic
