#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mtc::oci {

/// How a server wants to be told who asks (RFC 9110 §11.6.1).
struct Challenge {
  std::string scheme;                             ///< lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters;  ///< names in lower case; no list of 64 is longer

  /// "" if absent.
  std::string parameter(std::string_view name) const;
};

/// The challenges of one WWW-Authenticate field; what cannot be read ends the list.
std::vector<Challenge> parse_challenges(std::string_view field);

}  // namespace mtc::oci
