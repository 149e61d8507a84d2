// Pasted code that makes in every turn of a loop what should be made once.
#pragma once

#include "explain/reading.h"

namespace gpuwhy::explain {

/// The line that makes it: a model, a graph, a compiled function; null: none is seen to.
const Sighting* made_in_loop(const View& text);

} // namespace gpuwhy::explain
