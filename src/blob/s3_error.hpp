#pragma once

#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "http/message.hpp"

namespace mtc::blob {

/// The Error for a refused S3 request: what the store said, what that means, what to do, and the request id that its
/// operator can look up. `now` is compared with the store's clock where clocks are the cause.
/// (docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html)
Error s3_error(const http::Response& response, Time now);

/// `error` of a request that got no answer, with what to check.
Error unanswered(const Error& error);

}  // namespace mtc::blob
