#include "judge/packages.h"

#include "base/text.h"

#include <algorithm>
#include <array>

namespace gpuwhy {
namespace {

constexpr std::array<std::string_view, 9> kHarmless{"-q",
                                                    "--quiet",
                                                    "-y",
                                                    "--yes",
                                                    "--no-deps",
                                                    "--no-cache-dir",
                                                    "--no-warn-script-location",
                                                    "--disable-pip-version-check",
                                                    "--prefer-binary"};

bool python_name(std::string_view word) {
  return base_name(word).starts_with("python");
}

/// The last part of PyTorch's index: ".../whl/cu126".
std::string tag_of(std::string_view index) {
  while (index.ends_with('/')) index.remove_suffix(1);
  const auto last = base_name(index);
  return contains(index, "/whl/") && (last == "cpu" || last.starts_with("cu")) ? std::string(last)
                                                                               : std::string();
}

} // namespace

bool read_pip(const std::vector<std::string>& words, PipCommand& command, std::string& problem) {
  std::size_t at = 0;
  if (words.size() >= 3 && python_name(words[0]) && words[1] == "-m" && words[2] == "pip") {
    if (contains(words[0], "/")) command.interpreter = words[0];
    at = 3;
  } else if (words.size() >= 2 && words[0] == "uv" && words[1] == "pip") {
    at = 2;
  } else if (!words.empty() && base_name(words[0]).starts_with("pip")) {
    at = 1;
  } else {
    return false;
  }
  if (at >= words.size() || (words[at] != "install" && words[at] != "uninstall")) return false;
  command.install = words[at] == "install";
  for (++at; at < words.size(); ++at) {
    auto word = words[at];
    std::string value;
    const auto equals = word.find('=');
    if (word.starts_with("--") && equals != std::string::npos) {
      value = word.substr(equals + 1);
      word = word.substr(0, equals);
    }
    const bool takes_value = word == "--index-url" || word == "-i" || word == "--extra-index-url" ||
                             word == "--python" || word == "-p";
    if (takes_value && value.empty() && at + 1 < words.size()) value = words[++at];
    if (word == "--python" || word == "-p") {
      command.interpreter = value;
    } else if (takes_value) {
      command.tag = tag_of(value);
      if (command.tag.empty()) problem = "what " + value + " has is not known to gpuwhy";
    } else if (word == "-U" || word == "--upgrade" || word == "--force-reinstall") {
      command.upgrade = true;
      command.force = command.force || word == "--force-reinstall";
    } else if (!word.starts_with('-')) {
      command.packages.push_back(word);
    } else if (std::find(kHarmless.begin(), kHarmless.end(), word) == kHarmless.end()) {
      problem = "what " + word + " makes of it is not known to gpuwhy";
    }
  }
  return !command.packages.empty() || !problem.empty();
}

} // namespace gpuwhy
