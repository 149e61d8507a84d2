// The commands, one a file.
#pragma once

#include "commands/command.h"

namespace gpuwhy {

extern const Command kCheckCommand;
extern const Command kExplainCommand;
extern const Command kFixCommand;
extern const Command kCompatCommand;
extern const Command kLintCommand;
extern const Command kRunCommand;
extern const Command kPidCommand;
extern const Command kWatchCommand;
extern const Command kSnapshotCommand;
extern const Command kProveCommand;
extern const Command kPickCommand;
extern const Command kRuleCommand;
extern const Command kRulesCommand;
extern const Command kSchemaCommand;
extern const Command kMcpCommand;

// For packages; help does not list them.
extern const Command kCompletionsCommand;
extern const Command kManCommand;

} // namespace gpuwhy
