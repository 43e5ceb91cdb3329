#include "migrate/report/envelope.hpp"

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/error.hpp"

namespace mtc::migrate::report {
namespace {

constexpr auto kPayloadType = "application/vnd.mtc.report+json";

/// What is signed: DSSE's pre-authentication encoding.
std::string authenticated(std::string_view payload) {
  const std::string_view type = kPayloadType;
  return fmt::format("DSSEv1 {} {} {} {}", type.size(), type, payload.size(), payload);
}

}  // namespace

Json seal(const Json& report, const SigningKey& key) {
  const auto payload = dump(report);
  const Json signature = {{"keyid", key_id(key.public_pem)},
                          {"sig", base64_encode(sign(key.private_pem, authenticated(payload)))}};
  return {{"payloadType", kPayloadType}, {"payload", base64_encode(payload)}, {"signatures", Json::array({signature})}};
}

Opened open(const Json& envelope, const std::string& public_pem) {
  const auto payload = base64_decode(string_at(envelope, "payload"));
  const auto& signatures = array_at(envelope, "signatures");
  if (string_at(envelope, "payloadType") != kPayloadType || !payload || signatures.size() != 1)
    throw Error(Code::kCorrupt, "no signed report of mtc");
  Opened out{.report = parse_json(*payload), .key_id = string_at(signatures.front(), "keyid")};
  const auto signature = base64_decode(string_at(signatures.front(), "sig"));
  out.authentic = signature && is_signed(public_pem, authenticated(*payload), *signature);
  return out;
}

}  // namespace mtc::migrate::report
