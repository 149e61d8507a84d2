// Words that more than one renderer of verdicts uses.
#pragma once

#include "verdict/verdict.h"

#include <string>
#include <string_view>

namespace gpuwhy {

/// "TensorFlow" for "tensorflow"; an unknown name as it is.
std::string_view product_name(std::string_view framework);
/// "TensorFlow 2.18.0"; without the version where it is not known.
std::string framework_words(const FrameworkVerdict& verdict);
/// "Python 3.11.7".
std::string python_words(const FrameworkVerdict& verdict);
/// "venv /home/ada/.venv", or the interpreter where it is in no environment of its own.
std::string place_words(const FrameworkVerdict& verdict);
/// The answer as a sentence without a full stop, its causes considered: a GPU that is listed and
/// then fails is no success.
std::string answer_words(const FrameworkVerdict& verdict);
/// "Jupyter kernel gpu (/usr/share/jupyter/kernels/gpu/kernel.json)".
std::string place_words(const PlaceLine& line);
/// What the shell would do, where that is another answer and no cause has told it; else empty.
std::string shell_words(const PlaceLine& line, const FrameworkVerdict& verdict);
/// "NVIDIA GeForce RTX 4090, compute capability 8.9, 24 GiB, driver 550.54.14 (CUDA 12.4)".
std::string gpu_words(const GpuLine& gpu);
/// "libcudart.so.13 is there (/usr/local/cuda/lib64/libcudart.so.13)"; the place only where the
/// text lacks it.
std::string evidence_words(const Evidence& evidence);
/// "/home/ada/.bashrc:118"; a simulated fact is named as such.
std::string source_words(const Source& source);
/// Of a plan that is one fix: "verified: then the GPU is used"; else empty.
std::string proof_words(const FrameworkVerdict& verdict);
/// What is known of the time after the fixes; empty where one fix's proof has said it, or where
/// there is no fix.
std::string outcome_words(const FrameworkVerdict& verdict);
/// What no command on this machine can mend; empty: nothing of that kind is in the way.
std::string limit_words(const FrameworkVerdict& verdict);
/// Where no fix is known.
std::string no_fix_words(const Cause& cause);
/// The command that lets the framework itself answer; empty where there is none to ask.
std::string ask_framework(const FrameworkVerdict& verdict);

/// What the causes leave of the answer.
enum class Tone { good, limited, bad, open };
Tone tone_of(const FrameworkVerdict& verdict);

} // namespace gpuwhy
