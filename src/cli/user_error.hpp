#pragma once

#include <string>

#include "base/error.hpp"
#include "cli/console.hpp"

namespace mtc::cli {

/// A failure as the command line tells it: which object, what is the matter, and what to type next.
class UserError : public Error {
 public:
  UserError(Code code, std::string message, std::string next)
      : Error(code, std::move(message)), next_(std::move(next)) {}
  const std::string& next() const { return next_; }

 private:
  std::string next_;
};

/// What to try after a failure that no verb knows better about; "" if there is nothing to say.
std::string advice(const Error& error, const Console& console);
/// Tells a failure in two lines, the second with what to do next: "mtc: …", "next: …".
void tell(const Error& error, Console& console);

}  // namespace mtc::cli
