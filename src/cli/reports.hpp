#pragma once

#include <string>

#include "cli/session.hpp"

namespace mtc::cli {

/// Prints what a migration did, object by object and volume by volume; `signed_form` prints the signed report as it is
/// kept, which verify_report checks. Returns kFailed if its signature is not the host's.
Task<int> show_report(Session session, std::string migration, bool signed_form);

/// Checks a signed report that lies in a file, and prints whom and what it is of. Returns kFailed if it is not what the
/// owner of the key signed. `public_pem` empty = the host's key. Throws UserError for a file that is no report.
Task<int> verify_report(Session session, std::string file, std::string public_pem);

/// The same without a cluster. `public_pem` is not empty.
int verify_report(Console& console, const std::string& file, const std::string& public_pem);

}  // namespace mtc::cli
