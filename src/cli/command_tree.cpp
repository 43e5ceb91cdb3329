#include "cli/command_tree.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "async/runtime.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "cli/completion.hpp"
#include "cli/help.hpp"
#include "kube/config.hpp"

namespace mtc::cli {
namespace {

std::string not_a_choice(const std::string& choices, const std::string& given) {
  const auto all = split(choices, '|');
  if (std::ranges::find(all, given) != all.end()) return "";
  return fmt::format("{} is none of {}", given, join(all, ", "));
}

}  // namespace

void add_keys(CLI::App* command, std::string& id, std::string& key) {
  value(command, "--access-key-id", id, "ID", "access key")->envname("AWS_ACCESS_KEY_ID")->required();
  value(command, "--secret-access-key", key, "KEY", "secret key; the environment is the better place")
      ->envname("AWS_SECRET_ACCESS_KEY")
      ->required();
}

CLI::Option* value(CLI::App* command, const std::string& names, std::string& into, const std::string& placeholder,
                   const std::string& description) {
  auto* option = command->add_option(names, into, description)->type_name(placeholder);
  if (placeholder.contains('|')) {
    auto check = [placeholder](const std::string& given) { return not_a_choice(placeholder, given); };
    option->check(CLI::Validator(check, ""));
  }
  return option;
}

CommandTree::CommandTree(const Programs* programs, Console* console) : programs_(programs), console_(console) {
  app_.formatter(make_help_formatter(console->program()));
  app_.require_subcommand(1);
  add_global_flags();
  add_demo();
  add_sandbox();
  add_bucket();
  add_kinds();
  add_migrate();
  add_watch();
  add_wait();
  add_cancel();
  add_verify();
  add_controller();
  add_mover();
  add_image();
  add_completion();
}

int CommandTree::run() const {
  log::configure(log::parse_level(level_), log_json_ ? log::Format::kJson : log::Format::kText);
  return action_();
}

void CommandTree::add_global_flags() {
  value(&app_, "--kubeconfig", host_.kubeconfig, "FILE", "of the host cluster, which holds the plans");
  value(&app_, "--context", host_.context, "CONTEXT", "its context (default: the current one)");
  value(&app_, "--log-level", level_, "debug|info|warn|error", "what is logged");
  app_.add_flag("--log-json", log_json_, "log lines as JSON");
  app_.set_version_flag("--version", "mtc " MTC_VERSION, "print the version");
}

CLI::App* CommandTree::command(CLI::App* parent, const std::string& name, const std::string& description,
                               const std::string& examples) {
  auto* made = parent->add_subcommand(name, description);
  made->footer(examples);
  made->fallthrough();  // the flags of every command may stand anywhere
  made->group("Commands");
  return made;
}

void CommandTree::performs(CLI::App* command, Action action) {
  command->callback([this, action] { action_ = action; });
}

void CommandTree::acts(CLI::App* command, Verb verb, std::function<std::string()> hint) {
  performs(command, [this, verb, hint] { return on_host(verb, hint); });
}

int CommandTree::on_host(const Verb& verb, const std::function<std::string()>& hint) const {
  async::Runtime runtime;
  int code = kOk;
  auto body = [](Verb make, Session session, int* out) -> Task<void> { *out = co_await make(session); };
  const Session session{kube::make_client(find_host(host_, *console_)), console_};
  if (runtime.run_until_signal(body(verb, session, &code))) return code;
  if (hint) console_->err(hint());
  return kInterrupted;
}

void CommandTree::add_demo() {
  auto* demo = command(&app_, "demo", "migrate an application between two embedded clusters", "demo");
  demo->group("See it work");
  performs(demo, [this] { return programs_->demo(*console_); });
}

void CommandTree::add_sandbox() {
  auto* sandbox = command(&app_, "sandbox", "serve an embedded Kubernetes cluster",
                          "sandbox --write-kubeconfig west.kubeconfig\n"
                          "sandbox --name west --state west.db --write-kubeconfig west.kubeconfig");
  sandbox->group("See it work");
  auto options = std::make_shared<SandboxOptions>();
  value(sandbox, "--name", options->name, "NAME", "its name (default: sandbox)");
  value(sandbox, "--state", options->state, "FILE",
        "SQLite file to keep it in, volumes in FILE.files (default: in memory)");
  value(sandbox, "--listen", options->listen, "ADDRESS:PORT", "where to serve (default: a free port of 127.0.0.1)");
  value(sandbox, "--write-kubeconfig", options->kubeconfig, "FILE",
        "file for the administrator's kubeconfig (default: printed)");
  performs(sandbox, [this, options] { return programs_->sandbox(*options, *console_); });
}

void CommandTree::add_bucket() {
  auto* bucket = command(&app_, "bucket", "serve an embedded S3 bucket, to go with embedded clusters",
                         "bucket migration --access-key-id demo --secret-access-key demo-secret\n"
                         "bucket migration --folder ./bucket --listen 127.0.0.1:9000");
  bucket->group("See it work");
  auto options = std::make_shared<BucketOptions>();
  value(bucket, "BUCKET", options->name, "BUCKET", "its name")->required();
  value(bucket, "--folder", options->folder, "FOLDER", "folder for its objects (default: in memory)");
  value(bucket, "--listen", options->listen, "ADDRESS:PORT", "where to serve (default: a free port of 127.0.0.1)");
  value(bucket, "--region", options->region, "REGION", "region that requests are signed for (default: us-east-1)");
  add_keys(bucket, options->access_key_id, options->secret_access_key);
  performs(bucket, [this, options] { return programs_->bucket(*options, *console_); });
}

void CommandTree::add_controller() {
  auto* controller = command(&app_, "controller", "carry the migrations of a host cluster out, until stopped",
                             "controller --kubeconfig west.kubeconfig\ncontroller --standalone");
  controller->group("Run it");
  auto options = std::make_shared<ControllerOptions>();
  controller->add_flag("--standalone", options->standalone,
                       "keep the plans on this machine, in an embedded cluster; the other commands find it");
  value(controller, "--state", options->state, "FILE",
        "state file of the embedded cluster (default: $XDG_STATE_HOME/mtc/host.db, ~/.local/state/mtc/host.db)");
  performs(controller, [this, options] {
    options->host = host_;
    return programs_->controller(*options, *console_);
  });
}

void CommandTree::add_completion() {
  auto* completion = command(&app_, "completion", "print a script that completes commands and names",
                             "completion bash >~/.local/share/bash-completion/completions/mtc\n"
                             "completion zsh >~/.zsh/functions/_mtc");
  completion->group("Run it");
  auto shell = std::make_shared<std::string>();
  value(completion, "SHELL", *shell, "bash|zsh", "bash or zsh")->required();
  performs(completion, [this, shell] {
    console_->out(completion_script(*shell));
    return kOk;
  });
}

}  // namespace mtc::cli
