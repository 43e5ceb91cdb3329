#pragma once

#include <string>

#include "http/server.hpp"
#include "json/selector.hpp"
#include "sandbox/resources.hpp"
#include "sandbox/storage.hpp"

namespace mtc::sandbox {

/// labelSelector and fieldSelector of a request.
class Filter {
 public:
  /// Throws Error(kInvalid) for a selector that cannot be read, Failure 400 for a field that the kind is not selected
  /// by.
  Filter(const Resource& resource, const http::ServerRequest& request);
  bool empty() const { return labels_.empty() && fields_.empty(); }
  /// The name that the fields ask for; "" if they ask for none.
  std::string only_name() const;
  bool matches(const Json& object) const;
  /// What a watcher with this filter sees: an object that comes into view is ADDED, one that leaves it DELETED; "" =
  /// nothing.
  std::string event_type(const Event& event) const;

 private:
  Selector labels_;
  Selector fields_;
};

}  // namespace mtc::sandbox
