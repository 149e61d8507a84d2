// The stack as a ladder: each layer does work that the one above it rests on. What was observed
// when the layers were tried, as plain values (collect/prove_layers.h runs them).
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy {

enum class Layer {
  driver,
  device,
  context,
  memory,
  kernel,
  cudart,
  cublas,
  cudnn,
  cufft,
  cusolver,
  nccl,
  peer,
  training,
};

struct LayerText {
  Layer layer;
  std::string_view name;     // in reports and to the probe; of a library also its product
  std::string_view variable; // of the probe, that takes the library's paths; empty: not a library
  std::string_view title;    // in sentences
  std::string_view does;
};

inline constexpr std::array<LayerText, 13> kLayers = {{
    {Layer::driver, "driver", "", "the CUDA driver", "libcuda.so.1 is opened and started"},
    {Layer::device, "device", "", "the GPU's description", "the GPU is asked what it is"},
    {Layer::context, "context", "", "a context on the GPU", "a context is made on the GPU"},
    {Layer::memory, "memory", "", "GPU memory", "memory is taken, filled, read back and compared"},
    {Layer::kernel, "kernel", "", "a kernel",
     "the driver compiles a kernel, which runs; its result is compared"},
    {Layer::cudart, "cudart", "CUDART", "the CUDA runtime", "memory is copied through libcudart"},
    {Layer::cublas, "cublas", "CUBLAS", "cuBLAS", "matrices are multiplied and compared"},
    {Layer::cudnn, "cudnn", "CUDNN", "cuDNN", "a convolution is computed and compared"},
    {Layer::cufft, "cufft", "CUFFT", "cuFFT", "a Fourier transform is computed and compared"},
    {Layer::cusolver, "cusolver", "CUSOLVER", "cuSOLVER", "a matrix is factored and compared"},
    {Layer::nccl, "nccl", "NCCL", "NCCL", "all GPUs add up their numbers together"},
    {Layer::peer, "peer", "", "copies between GPUs", "each GPU sends memory to each other"},
    {Layer::training, "training", "", "training", "a small network is trained, its loss compared"},
}};

constexpr const LayerText& text_of(Layer layer) {
  return kLayers[static_cast<std::size_t>(layer)];
}
constexpr bool is_library(Layer layer) {
  return !text_of(layer).variable.empty();
}
/// Without it nothing above can work.
constexpr bool is_foundation(Layer layer) {
  return layer <= Layer::kernel;
}

/// What one layer did.
struct LayerRun {
  enum class State { passed, failed, skipped, timed_out, crashed, not_started };
  Layer layer = Layer::driver;
  State state = State::not_started;
  double seconds = 0;
  std::string step; // "cuMemAlloc": the call that failed
  std::string api;  // whose code it is: "cuda", "cublas", "cudnn", ...; empty: no code
  int code = 0;
  std::string code_name; // "CUDA_ERROR_OUT_OF_MEMORY"
  std::string text;      // the library's words, or what came out wrong; of skipped: why
  std::map<std::string, double, std::less<>> figures;
  std::vector<std::string> details; // names of devices, files that were loaded
  std::string said;                 // on standard error, of a layer that did not pass
  std::string ended_by;             // of crashed: "SIGABRT"

  double figure(std::string_view name, double otherwise = 0) const {
    const auto found = figures.find(name);
    return found == figures.end() ? otherwise : found->second;
  }
};

enum class Effort { quick, normal, full };

} // namespace gpuwhy
