// Packages that compute on a GPU or are built on what does. Truth: what they import themselves.
#pragma once

#include <array>
#include <string_view>

namespace gpuwhy::program {

struct Package {
  std::string_view name;      // as it is imported
  std::string_view framework; // that computes for it; empty: one of its own, or none for sure
};

inline constexpr auto kPackages = std::to_array<Package>({
    {"tensorflow", "tensorflow"},
    {"tf_keras", "tensorflow"},
    {"tensorflow_hub", "tensorflow"},
    {"tensorflow_addons", "tensorflow"},
    {"tensorflow_probability", "tensorflow"},
    {"tensorlayer", "tensorflow"},
    {"tflearn", "tensorflow"},
    {"object_detection", "tensorflow"},
    {"deepface", "tensorflow"},
    {"keras", "keras"},
    {"keras_cv", "keras"},
    {"keras_nlp", "keras"},
    {"keras_hub", "keras"},
    {"keras_tuner", "keras"},
    {"autokeras", "keras"},
    {"bayesflow", "keras"},
    {"jax", "jax"},
    {"flax", "jax"},
    {"haiku", "jax"},
    {"optax", "jax"},
    {"equinox", "jax"},
    {"numpyro", "jax"},
    {"blackjax", "jax"},
    {"torch", "torch"},
    {"torchvision", "torch"},
    {"torchaudio", "torch"},
    {"pytorch_lightning", "torch"},
    {"lightning", "torch"},
    {"fastai", "torch"},
    {"timm", "torch"},
    {"accelerate", "torch"},
    {"diffusers", "torch"},
    {"sentence_transformers", "torch"},
    {"ultralytics", "torch"},
    {"stable_baselines3", "torch"},
    {"detectron2", "torch"},
    {"mmcv", "torch"},
    {"mmdet", "torch"},
    {"monai", "torch"},
    {"pyro", "torch"},
    {"gpytorch", "torch"},
    {"botorch", "torch"},
    {"deepspeed", "torch"},
    {"whisper", "torch"},
    {"easyocr", "torch"},
    {"transformers", "torch"},
    {"tensorflow_datasets", ""},
    {"spacy", ""},
    {"scvi", "torch"},
    {"chemprop", "torch"},
    {"vllm", "torch"},
    {"segmentation_models", "keras"},
    {"kerastuner", "keras"},
    {"trax", "jax"},
    {"mxnet", ""},
    {"chainer", ""},
    {"paddle", ""},
    {"cupy", ""},
    {"mrcnn", "keras"},
    {"xgboost", ""},
});

} // namespace gpuwhy::program
