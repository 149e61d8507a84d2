#include "probe.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LAST_DEADLINE_SECONDS = 120, LONGEST_TEXT = 4096 };

static struct {
  char* bytes;
  size_t size;
  size_t capacity;
  bool separate; // the next member needs a comma before it
  int output;
} answer;

static void append(const char* bytes, size_t size) {
  if (answer.capacity - answer.size < size) {
    size_t capacity = (answer.size + size) * 2;
    char* grown = realloc(answer.bytes, capacity);
    if (!grown) _exit(1);
    answer.bytes = grown;
    answer.capacity = capacity;
  }
  memcpy(answer.bytes + answer.size, bytes, size);
  answer.size += size;
}

static void append_literal(const char* text) {
  append(text, strlen(text));
}

// The length of the well-formed UTF-8 sequence at `text`, 0 if there is none.
static size_t utf8_length(const unsigned char* text, size_t left) {
  static const struct {
    unsigned char first, last; // of the lead byte
    unsigned char from, to;    // of the byte after it
    unsigned char length;
  } forms[] = {
      {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
      {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
      {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
  };
  for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); ++i) {
    if (text[0] < forms[i].first || text[0] > forms[i].last) continue;
    if (left < forms[i].length || text[1] < forms[i].from || text[1] > forms[i].to) return 0;
    for (size_t j = 2; j < forms[i].length; ++j) {
      if (text[j] < 0x80 || text[j] > 0xBF) return 0;
    }
    return forms[i].length;
  }
  return 0;
}

static void append_quoted(const char* value, size_t size) {
  append("\"", 1);
  const unsigned char* text = (const unsigned char*)value;
  for (size_t i = 0; i < size;) {
    unsigned char c = text[i];
    if (c == '"' || c == '\\') {
      char escaped[2] = {'\\', (char)c};
      append(escaped, 2);
      ++i;
    } else if (c < 0x20 || c == 0x7F) {
      char escaped[8];
      int length = snprintf(escaped, sizeof(escaped), "\\u%04x", c);
      append(escaped, (size_t)length);
      ++i;
    } else if (c < 0x80) {
      append(value + i, 1);
      ++i;
    } else {
      size_t length = utf8_length(text + i, size - i);
      if (length) {
        append(value + i, length);
        i += length;
      } else {
        append_literal("\\ufffd");
        ++i;
      }
    }
  }
  append("\"", 1);
}

static void begin_member(const char* key) {
  if (answer.separate) append(",", 1);
  answer.separate = true;
  if (!key) return;
  append_quoted(key, strlen(key));
  append(":", 1);
}

void put_bounded_text(const char* key, const char* value, size_t capacity) {
  begin_member(key);
  append_quoted(value, strnlen(value, capacity));
}

void put_text(const char* key, const char* value) {
  put_bounded_text(key, value, LONGEST_TEXT);
}

void put_integer(const char* key, int64_t value) {
  char digits[32];
  begin_member(key);
  append(digits, (size_t)snprintf(digits, sizeof(digits), "%lld", (long long)value));
}

void put_unsigned(const char* key, uint64_t value) {
  char digits[32];
  begin_member(key);
  append(digits, (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value));
}

void put_number(const char* key, double value) {
  char digits[40];
  if (!(value - value == 0)) return; // JSON has no word for infinities and NaN
  begin_member(key);
  append(digits, (size_t)snprintf(digits, sizeof(digits), "%.9g", value));
}

static void open_bracket(const char* key, const char* bracket) {
  begin_member(key);
  append(bracket, 1);
  answer.separate = false;
}

static void close_bracket(const char* bracket) {
  append(bracket, 1);
  answer.separate = true;
}

void open_object(const char* key) {
  open_bracket(key, "{");
}
void close_object(void) {
  close_bracket("}");
}
void open_list(const char* key) {
  open_bracket(key, "[");
}
void close_list(void) {
  close_bracket("]");
}

void put_uuid(const char* key, const char* prefix, const unsigned char bytes[16]) {
  char text[64];
  int length = snprintf(text, sizeof(text), "%s-", prefix);
  for (int i = 0; i < 16; ++i) {
    const char* dash = i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "";
    length += snprintf(text + length, sizeof(text) - (size_t)length, "%s%02x", dash, bytes[i]);
  }
  put_text(key, text);
}

void* open_driver(const char* soname, const char* file) {
  void* library = dlopen(file ? file : soname, RTLD_LAZY | RTLD_LOCAL);
  if (!library) {
    const char* error = dlerror();
    put_text("load_error", error ? error : "unknown error");
  }
  return library;
}

void put_library_of(const void* function) {
  Dl_info found;
  if (!function || !dladdr(function, &found) || !found.dli_fname) return;
  char* real = realpath(found.dli_fname, NULL);
  put_text("library", real ? real : found.dli_fname);
  free(real);
}

bool bind_function(void* pointer, size_t size, void* library, const char* const* names) {
  void* function = NULL;
  for (; *names && !function; ++names) function = dlsym(library, *names);
  memcpy(pointer, &function, size);
  return function != NULL;
}

void probe_begin(const char* schema) {
  alarm(LAST_DEADLINE_SECONDS);
  answer.output = fcntl(STDOUT_FILENO, F_DUPFD, STDERR_FILENO + 1);
  if (answer.output < 0) _exit(1);
  fcntl(answer.output, F_SETFD, FD_CLOEXEC); // a driver may start helpers
  if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0) close(STDOUT_FILENO);
  open_object(NULL);
  put_text("schema", schema);
}

void keep_no_cache(void) {
  setenv("CUDA_CACHE_DISABLE", "1", 1);
}

static void write_answer(void) {
  close_object();
  append("\n", 1);
  for (size_t written = 0; written < answer.size;) {
    ssize_t step = write(answer.output, answer.bytes + written, answer.size - written);
    if (step <= 0) _exit(1);
    written += (size_t)step;
  }
  answer.size = 0;
  answer.separate = false;
}

void probe_next(const char* schema) {
  write_answer();
  open_object(NULL);
  if (schema != NULL) put_text("schema", schema);
}

void probe_end(void) {
  write_answer();
  _exit(0);
}
