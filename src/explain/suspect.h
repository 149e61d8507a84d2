// A cause that the text speaks for. Each file *_suspects.cpp names those of one stretch of the
// route; the judge weighs them against each other.
#pragma once

#include "explain/scene.h"

#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::explain {

/// Asks the machine itself: tells apart what the lines of a log do not.
constexpr std::string_view kLook = "gpuwhy check";

struct UseFigures;

/// The command that finds out what holds a GPU back that is in use.
inline constexpr std::string_view kWatch = "gpuwhy run -- python train.py";

enum class Weight {
  hint,     // the scene alone; counts where no message names a cause
  probable, // the message has several causes, the scene speaks for this one
  settled,  // the message names it
};

/// What else can have brought the same lines about.
struct Instead {
  std::string_view id;
  std::string when; // without a full stop
};

struct Suspect {
  std::string id;
  Weight weight = Weight::settled;
  std::string summary;                   // of this case, without a full stop
  std::vector<const Sighting*> evidence; // the telling one first
  std::string fix;                       // of this case; empty: the general one of the cause
  std::string_view ask;                  // what would confirm it
  std::vector<Instead> instead = {};     // what the text does not tell it from; then `ask` does
  bool beside_success = false;           // that the GPU works elsewhere is its premise
  bool also =
      false; // would come next, wherever it stands on the route: the log shows what came first
};

using Suspects = std::vector<Suspect>;

/// The lines that tell what is installed, behind the one in which no GPU is shown.
std::vector<const Sighting*> version_lines(const Scene& scene);

void driver_suspects(const Scene& scene, Suspects& out);
void cuinit_suspects(const Scene& scene, Suspects& out);
void access_suspects(const Scene& scene, Suspects& out);
void choice_suspects(const Scene& scene, Suspects& out);
void run_suspects(const Scene& scene, Suspects& out);
void library_suspects(const Scene& scene, Suspects& out);
void companion_suspects(const Scene& scene, Suspects& out);
void package_suspects(const Scene& scene, Suspects& out);
void origin_suspects(const Scene& scene, Suspects& out);
void build_suspects(const Scene& scene, Suspects& out);
void architecture_suspects(const Scene& scene, Suspects& out);
void program_suspects(const Scene& scene, Suspects& out);
void runtime_suspects(const Scene& scene, Suspects& out);
void use_suspects(const Scene& scene, Suspects& out);
void pace_suspects(const Scene& scene, Suspects& out);
void placement_suspects(const Scene& scene, Suspects& out);
void profile_suspects(const Scene& scene, Suspects& out);
void application_suspects(const Scene& scene, Suspects& out);
/// What a run on the processor says that was made to compare with one on the GPU.
void drop_what_was_compared(const Scene& scene, Suspects& suspects);
/// What is wrong in code that the text shows, where the log is consistent with it; after all
/// others.
void code_suspects(const Scene& scene, Suspects& out);
/// Of single lines of code, what the code as a whole does not bear out goes.
void drop_what_the_code_refutes(const Scene& scene, Suspects& suspects);
/// What the text shows to be otherwise in the same place: of suspects, and of what else it could
/// be.
void drop_what_the_place_refutes(const Scene& scene, Suspects& suspects);
void slow_suspects(const Scene& scene, const UseFigures& figures, Suspects& out);
/// One GPU computes, the others only lend their memory.
void one_of_many(const Scene& scene, Suspects& out);

/// What it means, here, that no driver answers in this line.
void no_driver(const Scene& scene, const Sighting& seen, Suspects& out);

/// Every sighting of kind cause whose signal no file above explains further, as its row says it.
void plain_suspects(const Scene& scene, Suspects& out);

} // namespace gpuwhy::explain
