#pragma once

#include <string_view>

#include "base/error.hpp"
#include "http/message.hpp"

namespace mtc::oci {

/// What an answer that is no success means: the code and the words of the registry's own error document, if it has one,
/// with a remedy where there is one. Retry-After comes along.
Error registry_error(const http::Response& response);

/// `error` of a request that got no answer, with a remedy.
Error unanswered(const Error& error);

}  // namespace mtc::oci
