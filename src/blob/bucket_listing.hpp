#pragma once

#include "blob/store.hpp"
#include "http/server.hpp"

namespace mtc::blob {

/// Answers ListObjectsV2 (list-type=2) and the older ListObjects from a store. Throws a Refusal (InvalidArgument).
Task<http::Response> answer_listing(Store* store, std::string bucket, const http::ServerRequest* request);

}  // namespace mtc::blob
