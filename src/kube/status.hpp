#pragma once

#include <string_view>

#include "base/error.hpp"
#include "http/message.hpp"

namespace mtc::kube {

/// The Error for an answer that is not 2xx: metav1.Status of the API server, or what a proxy in between said. `doing`
/// goes in front: "get deployments shop/web at https://…". Retry-After becomes retry_after.
Error error_of(const http::Response& response, std::string_view doing);

/// The code for a Status reason and HTTP code (k8s.io/apimachinery metav1.StatusReason).
Code code_of_status(int http_status, std::string_view reason);

}  // namespace mtc::kube
