#pragma once

#include <memory>

#include "async/pace.hpp"
#include "net/connect.hpp"

namespace mtc::net {

using PacePtr = std::shared_ptr<async::Pace>;

/// `stream`, which takes the bytes that it reads and writes from `bytes`, 64 KiB at a time; as it is if that is null.
StreamPtr paced(StreamPtr stream, PacePtr bytes);
/// Opens streams that keep `bytes` together.
ConnectorPtr paced_connector(ConnectorPtr connector, PacePtr bytes);

}  // namespace mtc::net
