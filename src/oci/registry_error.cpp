#include "oci/registry_error.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "json/json.hpp"
#include "oci/challenge.hpp"

namespace mtc::oci {
namespace {

constexpr std::size_t kMostQuoted = 500;

struct Known {
  std::string_view code;
  Code means;
  std::string_view advice;
};

// The codes of the distribution specification, and what stands for them without a document (HEAD).
constexpr std::array kKnown = {
    Known{"UNAUTHORIZED", Code::kUnauthorized, "give credentials for this registry, or correct them"},
    Known{"DENIED", Code::kForbidden, "these credentials may not do that"},
    Known{"NAME_UNKNOWN", Code::kNotFound, ""},
    Known{"MANIFEST_UNKNOWN", Code::kNotFound, ""},
    Known{"BLOB_UNKNOWN", Code::kNotFound, ""},
    Known{"MANIFEST_BLOB_UNKNOWN", Code::kNotFound, ""},
    Known{"BLOB_UPLOAD_UNKNOWN", Code::kNotFound, ""},
    Known{"BLOB_UPLOAD_INVALID", Code::kInvalid, ""},
    Known{"DIGEST_INVALID", Code::kCorrupt, ""},
    Known{"SIZE_INVALID", Code::kCorrupt, ""},
    Known{"MANIFEST_INVALID", Code::kInvalid, ""},
    Known{"NAME_INVALID", Code::kInvalid, ""},
    Known{"TAG_INVALID", Code::kInvalid, ""},
    Known{"UNSUPPORTED", Code::kUnsupported, ""},
    Known{"TOOMANYREQUESTS", Code::kThrottled, ""},
};

Code code_of(int status) {
  switch (status) {
    case 405: return Code::kUnsupported;
    case 408: return Code::kUnavailable;
    case 416: return Code::kConflict;
    case 507: return Code::kForbidden;
    default: return status < 400 ? Code::kUnsupported : http::code_of_status(status);
  }
}

struct Said {
  std::string code;
  std::string message;
};

/// The first error of the document; nothing if there is none.
std::optional<Said> said_in(const std::string& body) {
  try {
    const auto json = parse_json(body);
    const auto& errors = array_at(json, "errors");
    if (errors.empty()) return std::nullopt;
    Said said{string_at(errors.front(), "code"), string_at(errors.front(), "message")};
    if (const auto detail = string_at(errors.front(), "detail"); !detail.empty()) said.message += " (" + detail + ")";
    return said;
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// A token that does not reach so far is refused as if there were none.
bool lacks_scope(const http::Headers& headers) {
  const auto challenges = parse_challenges(headers.get("WWW-Authenticate"));
  return std::ranges::any_of(challenges,
                             [](const auto& one) { return one.parameter("error") == "insufficient_scope"; });
}

}  // namespace

Error registry_error(const http::Response& response) {
  const auto said = said_in(response.body);
  std::string name = said ? said->code : "";
  if (response.status == 401) name = lacks_scope(response.headers) ? "DENIED" : "UNAUTHORIZED";
  const auto* known = std::ranges::find(kKnown, name, &Known::code);
  // A server that is overloaded may give any document.
  const bool by_status = known == kKnown.end() || response.status >= 500 || response.status == 429;
  auto text = said ? fmt::format("{}: {}", said->code, trim(said->message))
                   : fmt::format("HTTP {} {}", response.status, http::reason_phrase(response.status));
  text.resize(std::min(text.size(), kMostQuoted));
  if (!by_status && !known->advice.empty()) text += fmt::format(" — {}", known->advice);
  Error error(by_status ? code_of(response.status) : known->means, std::move(text));
  error.with_http_status(response.status);
  if (const auto wait = http::retry_after(response.headers)) error.with_retry_after(*wait);
  return error;
}

Error unanswered(const Error& error) {
  return http::advised(error, {.untrusted = "give the CA of the registry, or correct its address",
                               .unknown = "correct the host name of the registry",
                               .silent = "is the address right, and does the network (firewall, proxy) let it through?",
                               .closed = "does the registry run, and is its address right?"});
}

}  // namespace mtc::oci
