// LD_LIBRARY_PATH as a cause and as a cure.
#pragma once

#include "rules/rule.h"

#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::rules {

/// The process in whose name libraries are searched, as the judge sets it up.
loader::Setting setting_of(const Case& c);
/// " (set in /home/user/.bashrc:118)", or nothing if no line is known. `element` of a list
/// variable: the line that puts it in.
std::string set_where(const Case& c, std::string_view variable, std::string_view element = {});
/// The line that sets the variable, else the variable itself.
Source source_of(const Case& c, std::string_view variable, std::string_view element = {});

/// Puts directories at the end of LD_LIBRARY_PATH.
Edit extend_library_path(const Case& c, const std::vector<std::string>& directories);
/// Takes one directory out of it.
Edit shorten_library_path(const Case& c, const std::string& directory);
/// Would this name load if LD_LIBRARY_PATH did not name `directory`?
bool loads_without(const Case& c, const std::string& soname, const std::string& directory);
/// "looked in 4 places: LD_LIBRARY_PATH[0] /opt/lib, ..., ld.so.cache"
std::string places_asked(const loader::Found& found);

} // namespace gpuwhy::rules
