#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mtc::http {

/// An absolute http or https URL (RFC 3986) in parts.
struct Url {
  std::string scheme;      ///< "http" or "https", lower case
  std::string host;        ///< without brackets
  std::uint16_t port = 0;  ///< never 0: 80 or 443 if the text has none
  std::string path;        ///< still percent-encoded; "" or beginning with '/'
  std::string query;       ///< without '?', still encoded

  /// Throws Error(kInvalid) saying what is wrong: no scheme, another scheme, no host, bad port, user info, control
  /// characters.
  static Url parse(std::string_view text);
  /// "host" or "host:port" when the port is not the scheme's own; IPv6 in brackets: the Host header.
  std::string authority() const;
  std::string str() const;
};

/// Query parameters in order, not encoded.
using Query = std::vector<std::pair<std::string, std::string>>;
/// "a=1&b=x%20y"; "" for none.
std::string encode_query(const Query& query);
Query decode_query(std::string_view text);

}  // namespace mtc::http
