// The example that every tutorial starts with, without Python: Dense 64 with ReLU, Dense 10 with
// softmax, categorical cross-entropy and Adam, trained on generated data on the GPU with our own
// kernels, and in double precision on the processor. Both start from the same weights and see the
// same batches, so every step's loss must agree.
#include "prove.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  FEATURES = 32,
  HIDDEN = 64,
  CLASSES = 10,
  BATCH = 64,
  BATCHES = 8,
  SAMPLES = BATCH * BATCHES
};
enum { W1 = FEATURES * HIDDEN, W2 = HIDDEN * CLASSES, WEIGHTS = W1 + HIDDEN + W2 + CLASSES };

static const double kRate = 0.01, kBeta1 = 0.9, kBeta2 = 0.999,
                    kEpsilon = 1e-7; // as Keras has them, but a faster rate

static float inputs[SAMPLES * FEATURES];
static uint32_t labels[SAMPLES];
static float weights[WEIGHTS]; // first layer, its bias, second layer, its bias

static double uniform(uint32_t index, uint32_t seed) { // from -1 to 1
  return (double)scrambled(index * 2654435761u ^ scrambled(seed)) / 2147483648.0 - 1;
}

static void generate(void) {
  for (uint32_t i = 0; i < SAMPLES; ++i) {
    labels[i] = scrambled(i + 77) % CLASSES;
    for (uint32_t j = 0; j < FEATURES; ++j) {
      double centre = uniform(labels[i] * FEATURES + j, 1), noise = uniform(i * FEATURES + j, 2);
      inputs[i * FEATURES + j] = (float)(centre + 0.8 * noise);
    }
  }
  double first = sqrt(6.0 / (FEATURES + HIDDEN)), second = sqrt(6.0 / (HIDDEN + CLASSES)); // Glorot
  for (uint32_t i = 0; i < WEIGHTS; ++i) {
    bool bias = (i >= W1 && i < W1 + HIDDEN) || i >= W1 + HIDDEN + W2;
    weights[i] = bias ? 0.0f : (float)(uniform(i, 3) * (i < W1 ? first : second));
  }
}

static double corrected_rate(int step) { // step counts from 1
  double beta1 = 1, beta2 = 1;
  for (int i = 0; i < step; ++i) beta1 *= kBeta1, beta2 *= kBeta2;
  return kRate * sqrt(1 - beta2) / (1 - beta1);
}

// ---- On the processor ----

static struct {
  double w[WEIGHTS], mean[WEIGHTS], square[WEIGHTS], gradient[WEIGHTS];
} host;

// One sample forward and back; adds to the gradients and gives the loss.
static double learn(const float* x, uint32_t label) {
  const double *w1 = host.w, *b1 = w1 + W1, *w2 = b1 + HIDDEN, *b2 = w2 + W2;
  double *g1 = host.gradient, *gb1 = g1 + W1, *g2 = gb1 + HIDDEN, *gb2 = g2 + W2;
  double h[HIDDEN], z[CLASSES], most = -1e300, sum = 0;
  for (int j = 0; j < HIDDEN; ++j) {
    h[j] = b1[j];
    for (int i = 0; i < FEATURES; ++i) h[j] += (double)x[i] * w1[i * HIDDEN + j];
    if (h[j] < 0) h[j] = 0;
  }
  for (int c = 0; c < CLASSES; ++c) {
    z[c] = b2[c];
    for (int j = 0; j < HIDDEN; ++j) z[c] += h[j] * w2[j * CLASSES + c];
    if (z[c] > most) most = z[c];
  }
  for (int c = 0; c < CLASSES; ++c) sum += exp(z[c] - most);
  double loss = log(sum) - (z[label] - most);
  double d[CLASSES];
  for (int c = 0; c < CLASSES; ++c) {
    d[c] = (exp(z[c] - most) / sum - (c == (int)label)) / BATCH;
    gb2[c] += d[c];
  }
  for (int j = 0; j < HIDDEN; ++j) {
    double back = 0;
    for (int c = 0; c < CLASSES; ++c) {
      g2[j * CLASSES + c] += h[j] * d[c];
      back += w2[j * CLASSES + c] * d[c];
    }
    if (h[j] <= 0) continue;
    gb1[j] += back;
    for (int i = 0; i < FEATURES; ++i) g1[i * HIDDEN + j] += (double)x[i] * back;
  }
  return loss;
}

static double host_step(int step) {
  int first = (step - 1) % BATCHES * BATCH;
  double loss = 0, rate = corrected_rate(step);
  memset(host.gradient, 0, sizeof(host.gradient));
  for (int i = first; i < first + BATCH; ++i)
    loss += learn(inputs + (size_t)i * FEATURES, labels[i]);
  for (int i = 0; i < WEIGHTS; ++i) {
    double g = host.gradient[i];
    host.mean[i] += (1 - kBeta1) * (g - host.mean[i]);
    host.square[i] += (1 - kBeta2) * (g * g - host.square[i]);
    host.w[i] -= rate * host.mean[i] / (sqrt(host.square[i]) + kEpsilon);
  }
  return loss / BATCH;
}

// ---- On the GPU ----

static struct {
  function multiply, bias_relu, relu_gradient, softmax_loss, column_sums, adam;
  device_pointer inputs, labels, weights, mean, square, gradient, hidden, scores, back, loss;
} gpu;

static bool upload(device_pointer* place, const void* values, size_t bytes) {
  CU(MemAlloc, place, bytes);
  if (values)
    CU(MemcpyHtoD, *place, values, bytes);
  else
    CU(MemsetD8, *place, 0, bytes);
  return true;
}

static bool prepare(module kernels) {
  CU(ModuleGetFunction, &gpu.multiply, kernels, "multiply");
  CU(ModuleGetFunction, &gpu.bias_relu, kernels, "bias_relu");
  CU(ModuleGetFunction, &gpu.relu_gradient, kernels, "relu_gradient");
  CU(ModuleGetFunction, &gpu.softmax_loss, kernels, "softmax_loss");
  CU(ModuleGetFunction, &gpu.column_sums, kernels, "column_sums");
  CU(ModuleGetFunction, &gpu.adam, kernels, "adam");
  TRY(upload(&gpu.inputs, inputs, sizeof(inputs)));
  TRY(upload(&gpu.labels, labels, sizeof(labels)));
  TRY(upload(&gpu.weights, weights, sizeof(weights)));
  TRY(upload(&gpu.mean, NULL, sizeof(weights)));
  TRY(upload(&gpu.square, NULL, sizeof(weights)));
  TRY(upload(&gpu.gradient, NULL, sizeof(weights)));
  TRY(upload(&gpu.hidden, NULL, sizeof(float) * BATCH * HIDDEN));
  TRY(upload(&gpu.scores, NULL, sizeof(float) * BATCH * CLASSES));
  TRY(upload(&gpu.back, NULL, sizeof(float) * BATCH * HIDDEN));
  return upload(&gpu.loss, NULL, BATCH * sizeof(float));
}

static bool multiply(device_pointer c, device_pointer a, device_pointer b, unsigned m, unsigned n,
                     unsigned k, unsigned a_row, unsigned a_column, unsigned b_row,
                     unsigned b_column) {
  void* parameters[] = {&c, &a, &b, &m, &n, &k, &a_row, &a_column, &b_row, &b_column};
  return launch(gpu.multiply, m * n, parameters);
}

static bool column_sums(device_pointer sums, device_pointer d, unsigned rows, unsigned columns) {
  void* parameters[] = {&sums, &d, &rows, &columns};
  return launch(gpu.column_sums, columns, parameters);
}

static bool gpu_step(int step, double* loss) {
  const size_t size = sizeof(float);
  size_t first = (size_t)((step - 1) % BATCHES) * BATCH;
  device_pointer x = gpu.inputs + first * FEATURES * size,
                 truth = gpu.labels + first * sizeof(uint32_t);
  device_pointer w1 = gpu.weights, b1 = w1 + W1 * size, w2 = b1 + HIDDEN * size,
                 b2 = w2 + W2 * size;
  device_pointer g1 = gpu.gradient, gb1 = g1 + W1 * size, g2 = gb1 + HIDDEN * size,
                 gb2 = g2 + W2 * size;
  unsigned batch = BATCH, classes = CLASSES, hidden = HIDDEN, cells = BATCH * HIDDEN,
           count = WEIGHTS;
  float scale = 1.0f / BATCH, rate = (float)corrected_rate(step);
  float beta1 = (float)kBeta1, beta2 = (float)kBeta2, epsilon = (float)kEpsilon;
  void* relu[] = {&gpu.hidden, &b1, &cells, &hidden};
  void* softmax[] = {&gpu.scores, &b2, &truth, &gpu.loss, &batch, &classes, &scale};
  void* gradient[] = {&gpu.back, &gpu.hidden, &cells};
  void* adam[] = {&w1, &gpu.mean, &gpu.square, &g1, &count, &rate, &beta1, &beta2, &epsilon};
  TRY(multiply(gpu.hidden, x, w1, BATCH, HIDDEN, FEATURES, FEATURES, 1, HIDDEN, 1));
  TRY(launch(gpu.bias_relu, cells, relu));
  TRY(multiply(gpu.scores, gpu.hidden, w2, BATCH, CLASSES, HIDDEN, HIDDEN, 1, CLASSES, 1));
  TRY(launch(gpu.softmax_loss, batch, softmax));
  TRY(multiply(g2, gpu.hidden, gpu.scores, HIDDEN, CLASSES, BATCH, 1, HIDDEN, CLASSES, 1));
  TRY(column_sums(gb2, gpu.scores, BATCH, CLASSES));
  TRY(multiply(gpu.back, gpu.scores, w2, BATCH, HIDDEN, CLASSES, CLASSES, 1, 1, CLASSES));
  TRY(launch(gpu.relu_gradient, cells, gradient));
  TRY(multiply(g1, x, gpu.back, FEATURES, HIDDEN, BATCH, 1, FEATURES, HIDDEN, 1));
  TRY(column_sums(gb1, gpu.back, BATCH, HIDDEN));
  TRY(launch(gpu.adam, count, adam));
  float losses[BATCH];
  CU(MemcpyDtoH, losses, gpu.loss, sizeof(losses));
  *loss = 0;
  for (int i = 0; i < BATCH; ++i) *loss += (double)losses[i] / BATCH;
  return true;
}

bool prove_training(void) {
  context made = NULL;
  TRY(use_device(request.device, &made));
  module kernels = NULL;
  TRY(load_kernels(&kernels));
  generate();
  TRY(prepare(kernels));
  for (int i = 0; i < WEIGHTS; ++i) host.w[i] = (double)weights[i];
  int steps = (request.effort == QUICK ? 5 : request.effort == NORMAL ? 20 : 100) * BATCHES;
  double first = 0, last = 0, reference = 0, worst = 0, busy = 0;
  for (int step = 1; step <= steps; ++step) {
    double start = seconds_now();
    TRY(gpu_step(step, &last));
    busy += seconds_now() - start;
    reference = host_step(step);
    if (step == 1) first = last;
    double difference = fabs(last - reference);
    if (!(difference <= worst)) worst = difference; // also where it is no number
  }
  figure("steps", steps);
  figure("first_loss", first);
  figure("last_loss", last);
  figure("last_loss_on_processor", reference);
  figure("worst_difference", worst);
  figure("samples_per_second", steps * BATCH / busy);
  if (!(worst < 1e-3))
    return fail("training", "the loss on the GPU and on the processor differ by up to %.3g", worst);
  if (!(last < first / 2))
    return fail("training", "the loss went from %.3g to %.3g only", first, last);
  return true;
}
