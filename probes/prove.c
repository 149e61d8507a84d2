// Runs layers and reports them.
#include "prove.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SCHEMA "gpuwhy.probe.prove/1"

enum { MOST_FIGURES = 24, MOST_DETAILS = 32, LONGEST = 512 };

struct request request = {.effort = NORMAL, .memory = (size_t)512 << 20};

static struct {
  bool failed, skipped;
  char api[16], step[96], name[96], text[LONGEST];
  int code;
  int figures, details;
  struct {
    const char* name;
    double value;
  } figure[MOST_FIGURES];
  char detail[MOST_DETAILS][LONGEST];
} now;

static const struct {
  const char* name;
  bool (*run)(void);
} layers[] = {
    {"driver", prove_driver},     {"device", prove_device},     {"context", prove_context},
    {"memory", prove_memory},     {"kernel", prove_kernel},     {"cudart", prove_cudart},
    {"cublas", prove_cublas},     {"cudnn", prove_cudnn},       {"cufft", prove_cufft},
    {"nccl", prove_nccl},         {"cusolver", prove_cusolver}, {"peer", prove_peer},
    {"training", prove_training},
};

static void copy_text(char* target, size_t size, const char* text) {
  snprintf(target, size, "%s", text ? text : "");
}

bool fail_code(const char* api, const char* step, int code, const char* name, const char* text) {
  if (now.failed) return false; // the first failure is the one that counts
  now.failed = true;
  now.code = code;
  copy_text(now.api, sizeof(now.api), api);
  copy_text(now.step, sizeof(now.step), step);
  copy_text(now.name, sizeof(now.name), name);
  copy_text(now.text, sizeof(now.text), text);
  return false;
}

bool fail(const char* step, const char* format, ...) {
  char text[LONGEST];
  va_list values;
  va_start(values, format);
  vsnprintf(text, sizeof(text), format, values);
  va_end(values);
  return fail_code("", step, 0, "", text);
}

void skip(const char* why) {
  now.skipped = true;
  copy_text(now.text, sizeof(now.text), why);
}

void figure(const char* name, double value) {
  if (now.figures == MOST_FIGURES) return;
  now.figure[now.figures].name = name;
  now.figure[now.figures++].value = value;
}

void detail(const char* text) {
  if (now.details == MOST_DETAILS) return;
  copy_text(now.detail[now.details++], LONGEST, text);
}

double seconds_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void write_result(const char* layer, double seconds) {
  put_text("layer", layer);
  put_text("state", now.failed ? "failed" : now.skipped ? "skipped" : "passed");
  put_number("seconds", seconds);
  if (*now.text) put_text("text", now.text);
  if (now.failed) {
    put_text("step", now.step);
    if (*now.api) {
      put_text("api", now.api);
      put_integer("code", now.code);
      if (*now.name) put_text("name", now.name);
    }
  }
  open_object("figures");
  for (int i = 0; i < now.figures; ++i) put_number(now.figure[i].name, now.figure[i].value);
  close_object();
  open_list("details");
  for (int i = 0; i < now.details; ++i) put_text(NULL, now.detail[i]);
  close_list();
}

static bool run_layer(const char* name, size_t length) {
  for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); ++i) {
    if (strlen(layers[i].name) != length || strncmp(layers[i].name, name, length) != 0) continue;
    memset(&now, 0, sizeof(now));
    put_text("begin", layers[i].name);
    probe_next(SCHEMA);
    double start = seconds_now();
    bool passed = layers[i].run();
    if (!passed && !now.failed && !now.skipped) fail("", "failed without a reason");
    write_result(layers[i].name, seconds_now() - start);
    return !now.failed;
  }
  return false;
}

static size_t number(const char* variable, size_t otherwise) {
  const char* text = getenv(variable);
  if (!text || *text < '0' || *text > '9') return otherwise;
  size_t value = 0;
  for (; *text >= '0' && *text <= '9' && value < (SIZE_MAX - 9) / 10; ++text)
    value = value * 10 + (size_t)(*text - '0');
  return value;
}

int main(void) {
  probe_begin(SCHEMA);
  keep_no_cache(); // and so compile for real
  request.device = (int)number("GPUWHY_PROVE_DEVICE", 0);
  request.memory = number("GPUWHY_PROVE_MEMORY", request.memory);
  const char* effort = getenv("GPUWHY_PROVE_EFFORT");
  if (effort && strcmp(effort, "quick") == 0) request.effort = QUICK;
  if (effort && strcmp(effort, "full") == 0) request.effort = FULL;
  const char* name = getenv("GPUWHY_PROVE_LAYERS");
  bool first = true;
  while (name && *name) {
    size_t length = strcspn(name, ",");
    if (!first) probe_next(SCHEMA);
    first = false;
    if (!run_layer(name, length)) break;
    name += length + (name[length] == ',');
  }
  probe_end();
}
