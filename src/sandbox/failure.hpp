#pragma once

#include <string>

#include "base/error.hpp"
#include "json/json.hpp"

namespace mtc::sandbox {

/// A refusal in the API server's words: metav1.Status.
class Failure : public std::runtime_error {
 public:
  Failure(int code, std::string reason, std::string message, Json details = nullptr, Json metadata = Json::object())
      : std::runtime_error(message),
        code_(code),
        reason_(std::move(reason)),
        details_(std::move(details)),
        metadata_(std::move(metadata)) {}
  int code() const { return code_; }
  Json status() const {
    Json out = {{"kind", "Status"},  {"apiVersion", "v1"}, {"metadata", metadata_}, {"status", "Failure"},
                {"message", what()}, {"reason", reason_},  {"code", code_}};
    if (!details_.is_null()) out["details"] = details_;
    return out;
  }

 private:
  int code_;
  std::string reason_;
  Json details_;
  Json metadata_;
};

}  // namespace mtc::sandbox
