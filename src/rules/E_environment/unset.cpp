#include "rules/E_environment/unset.h"

#include "facts/program_run.h"
#include "rules/L_libraries/library_path.h"

namespace gpuwhy::rules {

Edit unset_variable(const Case& c, std::string_view name) {
  Edit edit;
  const std::string variable(name);
  if (const auto* statement = set_by_program(c.facts, name)) {
    edit.words = statement->place + ": remove the line that sets " + variable;
    edit.apply = [variable](Facts& facts) { edit::take_out(facts, variable); };
    return edit;
  }
  edit.words = "unset " + variable + set_where(c, name);
  edit.commands = {"unset " + variable};
  edit.apply = [variable](Facts& facts) { edit::unset_variable(facts, variable); };
  return edit;
}

} // namespace gpuwhy::rules
