#pragma once

#include <optional>
#include <string>

#include "mover/lines.hpp"
#include "mover/mover.hpp"
#include "mover/repository.hpp"

namespace mtc::mover {

/// How a mover tells what it does.
struct Telling {
  Out out;                      ///< gets every line
  std::string termination_log;  ///< a file that gets the last line too if it exists; at most 4096 bytes of it
};

/// Where a pod listens whose port is forwarded: that comes to its loopback, the network to `at`, so at all addresses of
/// that family. A loopback stays: a pod that is a process of an embedded cluster has no other address.
net::Endpoint forwarded(net::Endpoint at);

/// Runs one end of a move in a pod, until it ends or the process gets SIGINT or SIGTERM. Prints progress, then how it
/// ended, whatever happens. `identity` is a folder (see load_identity). Returns the exit code: 0 = the volume is where
/// it belongs (and verified, if that was asked for), else 1.
/// `listen`, if set, is where to wait for a relay (SendOptions::relayed). `budget`, if not empty, is a file that is
/// heeded while the mover runs (follow_budget).
int run_send(SendOptions options, const std::string& identity, std::optional<net::Endpoint> listen,
             const std::string& budget, const Telling& telling);
/// `listen` is where to serve; the first line says which port was taken.
int run_receive(ReceiveOptions options, const std::string& identity, net::Endpoint listen, const Telling& telling);

/// Backs a volume up, in a pod likewise. `repository` is a folder (see load_repository). 0 = the snapshot is whole.
int run_backup(restic::BackupOptions options, const std::string& repository, const std::string& budget,
               const Telling& telling);
/// 0 = the volume is as the snapshot says (and verified, if that was asked for).
int run_restore(restic::RestoreOptions options, const std::string& repository, const std::string& budget,
                const Telling& telling);
int run_prune(const restic::Keep& keep, const std::string& repository, const Telling& telling);

}  // namespace mtc::mover
