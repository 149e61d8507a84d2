#include "explain/reading.h"

#include "base/text.h"

#include <algorithm>
#include <array>

namespace gpuwhy::explain {
namespace {

constexpr std::array<std::string_view, 3> kChoices = {"code-hides", "code-pins", "visible-devices"};
constexpr std::array<std::string_view, 2> kChosen = {"code_devices", "visible_devices"};

/// Not one that hides them all: whether the GPU that it names is there, the code does not tell.
bool names_gpu(std::string_view devices) {
  devices = trim(devices);
  return !devices.empty() && !devices.starts_with('-') && devices != "none";
}

template <class List> bool among(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

} // namespace

bool View::cleared(const Sighting& sighting) const {
  if (!among(kChoices, sighting.message->signal) || !reading_.code.clears(sighting.first))
    return false;
  if (sighting.text.starts_with('#')) return true;
  return std::none_of(kChosen.begin(), kChosen.end(),
                      [&](std::string_view key) { return names_gpu(sighting.value(key)); });
}

bool View::cleared(const Said& said) const {
  return among(kChosen, said.key) && reading_.code.clears(said.line) && !names_gpu(said.value);
}

std::vector<const Sighting*> View::all() const {
  std::vector<const Sighting*> found;
  for (const auto& sighting : reading_.sightings) {
    if (mine(sighting)) found.push_back(&sighting);
  }
  return found;
}

std::vector<const Sighting*> View::all(std::string_view signal) const {
  std::vector<const Sighting*> found;
  for (const auto& sighting : reading_.sightings) {
    if (sighting.message->signal == signal && mine(sighting)) found.push_back(&sighting);
  }
  return found;
}

const Sighting* View::find(std::string_view signal) const {
  const auto found = std::find_if(reading_.sightings.begin(), reading_.sightings.end(),
                                  [&](const Sighting& sighting) {
                                    return sighting.message->signal == signal && mine(sighting);
                                  });
  return found == reading_.sightings.end() ? nullptr : &*found;
}

std::string_view View::said(std::string_view key) const {
  const auto found =
      std::find_if(reading_.said.rbegin(), reading_.said.rend(),
                   [&](const Said& said) { return said.key == key && !cleared(said); });
  return found == reading_.said.rend() ? std::string_view() : found->value;
}

std::vector<std::string_view> View::all_said(std::string_view key) const {
  std::vector<std::string_view> values;
  for (const auto& said : reading_.said) {
    if (said.key == key && !cleared(said)) values.emplace_back(said.value);
  }
  return values;
}

bool View::says(std::string_view key) const {
  return std::any_of(reading_.said.begin(), reading_.said.end(),
                     [&](const Said& said) { return said.key == key && !cleared(said); });
}

bool View::mentions(std::string_view word) const {
  const auto wanted = lower(word);
  return std::any_of(reading_.said.begin(), reading_.said.end(), [&](const Said& said) {
    return said.by_hand && contains(lower(said.value), wanted);
  });
}

} // namespace gpuwhy::explain
