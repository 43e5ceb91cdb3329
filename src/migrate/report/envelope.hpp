#pragma once

#include <string>

#include "base/signature.hpp"
#include "json/json.hpp"

namespace mtc::migrate::report {

/// A signed report: a DSSE envelope, protocol 1.0.2 (https://github.com/secure-systems-lab/dsse), which other tools can
/// check too. Its payload is the report as JSON text.
Json seal(const Json& report, const SigningKey& key);

/// An envelope that was read.
struct Opened {
  Json report;
  std::string key_id;      ///< of the key that is said to have signed it
  bool authentic = false;  ///< that key is the given one, and the signature holds
};
/// Throws Error(kCorrupt) for what is no envelope of a report, Error(kInvalid) if the key is none. What is not
/// authentic is not thrown: a person may want to see what it says.
Opened open(const Json& envelope, const std::string& public_pem);

}  // namespace mtc::migrate::report
