#include "migrate/volumes/destination.hpp"
#include "migrate/volumes/steps/steps.hpp"

namespace mtc::migrate::volumes {

Task<Outcome> create_destination_claims(Copying& c) { return ensure_claims(destination_of(c)); }

}  // namespace mtc::migrate::volumes
