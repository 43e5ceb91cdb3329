#include "migrate/volumes/destination.hpp"
#include "migrate/volumes/steps/steps.hpp"

namespace mtc::migrate::volumes {

Task<Outcome> create_destination_namespaces(Copying& c) { return ensure_namespaces(destination_of(c)); }

}  // namespace mtc::migrate::volumes
