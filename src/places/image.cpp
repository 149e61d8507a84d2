#include "places/image.h"

#include "base/text.h"
#include "places/json.h"
#include "places/variables_file.h"

namespace gpuwhy::places {
namespace {

constexpr std::size_t kLargestConfig = 1U << 20U;
/// What container runtimes set where the image says nothing.
constexpr std::string_view kUsualPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// umoci and runc keep config.json beside the root file system; others put it elsewhere.
void read_config(System& system, FoundPlace& found) {
  const auto path = join_path(parent_path(found.root), "config.json");
  const auto text = system.read(path, kLargestConfig);
  if (!text) return;
  const auto json = parse_json(*text);
  const auto* inner = json ? member(*json, "process") : nullptr;
  if (json && inner == nullptr) inner = member(*json, "config");
  if (inner == nullptr || !inner->is_object()) return; // a config.json of something else
  const auto variables = read_variables(*text, printable(path), {});
  if (variables) {
    for (const auto& [name, value] : variables->environment) found.environment[name] = value;
    found.origins = variables->origins;
  }
  found.environment_known = true;
  found.place.origin = printable(path);
  for (const auto* key : {"cwd", "WorkingDir"}) {
    if (const auto directory = text_member(*inner, key); directory.starts_with('/'))
      found.identity.working_directory = directory;
  }
}

} // namespace

Result<FoundPlace> find_image(System& system, const std::string& directory) {
  const auto shown = printable(directory);
  const auto status = system.status(directory);
  if (!status) return fail(printable(status.error().reason));
  if (status->type != FileStatus::Type::directory)
    return fail(shown + ": is no directory; unpack the image first, for example with 'docker "
                        "export CONTAINER | tar -x -C DIR'");
  FoundPlace found;
  found.place.kind = "root";
  found.place.name = shown;
  found.place.origin = shown;
  found.root = directory;
  found.own_kernel = true;
  found.identity.working_directory = "/";
  found.environment_known = false;
  found.environment["PATH"] = kUsualPath;
  read_config(system, found);
  return found;
}

} // namespace gpuwhy::places
