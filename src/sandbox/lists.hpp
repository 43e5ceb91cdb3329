#pragma once

#include "async/task.hpp"
#include "http/server.hpp"
#include "sandbox/objects.hpp"
#include "sandbox/route.hpp"

namespace mtc::sandbox {

/// A list, or one page of it: all pages show the list as it was at the first one. Throws Failure 410 once that history
/// is gone.
Json list_objects(const Storage& storage, const Route& route, const http::ServerRequest& request, Time now);

/// Streams changes until the client leaves or its time is over. All references outlive the task.
Task<void> watch_objects(Storage& storage, const Clock& clock, Route route, const http::ServerRequest& request,
                         http::ResponseWriter& writer);

}  // namespace mtc::sandbox
