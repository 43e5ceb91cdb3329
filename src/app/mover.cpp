#include "app/mover.hpp"

#include <cstdlib>
#include <optional>

#include "base/error.hpp"
#include "cli/user_error.hpp"
#include "mover/run.hpp"

namespace mtc::app {
namespace {

constexpr auto kTerminationLog = "/dev/termination-log";  ///< where a kubelet looks by default

mover::Telling telling(cli::Console& console) {
  // Where pods are processes of one machine they cannot share that file.
  const char* named = std::getenv("MTC_TERMINATION_LOG");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return {[&console](std::string_view line) { console.out(std::string(line) + "\n"); },
          named != nullptr ? named : kTerminationLog};
}

net::Endpoint endpoint_of(const std::string& text, const char* flag, const char* command, const cli::Console& console) {
  auto at = net::parse_endpoint(text);
  // "$(POD_IP):6443" of an IPv6 pod has no brackets.
  if (const auto colon = text.rfind(':'); !at && colon != std::string::npos) {
    at = net::parse_endpoint("[" + text.substr(0, colon) + "]" + text.substr(colon));
  }
  if (!at) {
    throw cli::UserError(Code::kInvalid, std::string(flag) + " is host:port, not " + text,
                         console.command(std::string(command) + " --help"));
  }
  return *at;
}

net::Endpoint listen_of(const cli::MoverOptions& options, const char* command, const cli::Console& console) {
  auto at = endpoint_of(options.listen, "--listen", command, console);
  return options.forwarded ? mover::forwarded(std::move(at)) : at;
}

/// The volume's root, or the block device that it is.
template <typename Options>
const std::string& root_of(const Options& options) {
  return options.device.empty() ? options.volume : options.device;
}

}  // namespace

int run_mover_receive(const cli::MoverOptions& options, cli::Console& console) {
  const auto at = listen_of(options, "mover receive", console);
  mover::ReceiveOptions receive;
  receive.root = root_of(options);
  receive.device = !options.device.empty();
  receive.verify = options.verify;
  receive.allow_losses = options.allow_losses;
  receive.silence = *parse_go_duration(options.silence);
  receive.patience = *parse_go_duration(options.patience);
  return mover::run_receive(std::move(receive), options.tls, at, telling(console));
}

int run_mover_send(const cli::MoverOptions& options, cli::Console& console) {
  mover::SendOptions send;
  for (const auto& to : options.to) send.to.push_back(endpoint_of(to, "--to", "mover send", console));
  send.root = root_of(options);
  send.device = !options.device.empty();
  // Extras go in a rehearsal too: each ends with the destination as the source was.
  send.wishes = {.remove_extras = true, .by_hash = options.by_hash, .lenient = options.mode == "stage"};
  send.lanes = options.lanes;
  send.dial = *parse_go_duration(options.dial);
  send.silence = *parse_go_duration(options.silence);
  send.patience = *parse_go_duration(options.patience);
  std::optional<net::Endpoint> listen;
  if (!options.listen.empty()) listen = listen_of(options, "mover send", console);
  return mover::run_send(std::move(send), options.tls, std::move(listen), options.budget, telling(console));
}

int run_mover_backup(const cli::RepositoryOptions& options, cli::Console& console) {
  restic::BackupOptions backup;
  backup.root = root_of(options);
  backup.device = !options.device.empty();
  backup.host = options.host;
  backup.tags = options.tags;
  backup.by_hash = options.by_hash;
  backup.lenient = options.mode == "stage";
  return mover::run_backup(std::move(backup), options.repository, options.budget, telling(console));
}

int run_mover_restore(const cli::RepositoryOptions& options, cli::Console& console) {
  const auto snapshot = restic::Id::parse(options.snapshot);
  if (!snapshot) {
    throw cli::UserError(Code::kInvalid, "--snapshot is an Id of 64 hexadecimal digits, not " + options.snapshot,
                         console.command("mover restore --help"));
  }
  restic::RestoreOptions restore;
  restore.root = root_of(options);
  restore.device = !options.device.empty();
  restore.snapshot = *snapshot;
  restore.by_hash = options.by_hash;
  restore.verify = options.verify;
  restore.allow_losses = options.allow_losses;
  return mover::run_restore(std::move(restore), options.repository, options.budget, telling(console));
}

int run_mover_prune(const cli::RepositoryOptions& options, cli::Console& console) {
  return mover::run_prune({.host = options.host, .last = options.keep_last}, options.repository, telling(console));
}

}  // namespace mtc::app
