#include "explain/reading.h"

#include "base/text.h"

#include <algorithm>

namespace gpuwhy::explain {

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
  const auto found = std::find_if(reading_.said.rbegin(), reading_.said.rend(),
                                  [&](const Said& said) { return said.key == key; });
  return found == reading_.said.rend() ? std::string_view() : found->value;
}

std::vector<std::string_view> View::all_said(std::string_view key) const {
  std::vector<std::string_view> values;
  for (const auto& said : reading_.said) {
    if (said.key == key) values.emplace_back(said.value);
  }
  return values;
}

bool View::says(std::string_view key) const {
  return std::any_of(reading_.said.begin(), reading_.said.end(),
                     [&](const Said& said) { return said.key == key; });
}

bool View::mentions(std::string_view word) const {
  const auto wanted = lower(word);
  return std::any_of(reading_.said.begin(), reading_.said.end(), [&](const Said& said) {
    return said.by_hand && contains(lower(said.value), wanted);
  });
}

} // namespace gpuwhy::explain
