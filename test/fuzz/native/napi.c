/* The Node-API functions that the shim uses, and no more: a new one is a link error, and is added here. */
#include "napi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROPERTIES_MAX 8
#define FUNCTIONS_MAX 64

struct napi_value__ {
  enum tag tag;
  double number;
  char *text; /* of a string, without a zero at its end */
  size_t length;
  napi_typedarray_type type;
  uint8_t *bytes;
  napi_value *elements;
  uint32_t element_count;
  struct {
    const char *name;
    napi_value value;
  } properties[PROPERTIES_MAX];
  size_t property_count;
  napi_value next;
};

struct napi_callback_info__ {
  const napi_value *arguments;
  size_t count;
};

/* Made by NAPI_MODULE_INIT in shim.c. */
napi_value napi_register_module_v1(napi_env env, napi_value exports);

static napi_value values, thrown;
static struct {
  const char *name;
  napi_callback function;
} functions[FUNCTIONS_MAX];
static size_t functions_count;

void demand(int holds, const char *promise) {
  if (holds) return;
  fprintf(stderr, "Broken: %s\n", promise);
  abort();
}

napi_value make(enum tag tag) {
  napi_value value = calloc(1, sizeof *value);
  value->tag = tag;
  value->next = values;
  return values = value;
}

void forget_values(void) {
  while (values) {
    napi_value value = values;
    values = value->next;
    free(value->text);
    free(value->bytes);
    free(value->elements);
    free(value);
  }
  thrown = NULL;
}

/* NULL for no bytes, as a runtime may give it. */
static void *copy_of(const void *bytes, size_t length) {
  void *copy = length ? calloc(1, length) : NULL;
  if (copy && bytes) memcpy(copy, bytes, length);
  return copy;
}

napi_value make_boolean(int holds) {
  napi_value value = make(BOOLEAN);
  value->number = holds;
  return value;
}

napi_value make_number(double number) {
  napi_value value = make(NUMBER);
  value->number = number;
  return value;
}

napi_value make_string(const char *text, size_t length) {
  napi_value value = make(STRING);
  value->text = copy_of(text, length);
  value->length = length;
  return value;
}

napi_value make_typed_array(napi_typedarray_type type, const uint8_t *bytes, size_t length) {
  napi_value value = make(TYPED_ARRAY);
  value->type = type;
  value->bytes = copy_of(bytes, length);
  value->length = length;
  return value;
}

napi_value make_array(const napi_value *elements, uint32_t count, uint32_t length) {
  napi_value value = make(ARRAY);
  value->elements = copy_of(elements, count * sizeof *elements);
  value->element_count = count;
  value->length = length;
  return value;
}

uint8_t *bytes_in(napi_value array) {
  return array->bytes;
}

double number_in(napi_value number) {
  demand(number && number->tag == NUMBER, "the function returns a number");
  return number->number;
}

static napi_value property(napi_value object, const char *name) {
  for (size_t i = 0; i < object->property_count; i++)
    if (!strcmp(object->properties[i].name, name)) return object->properties[i].value;
  return make(UNDEFINED);
}

void set_property(napi_value object, const char *name, napi_value value) {
  demand(object->property_count < PROPERTIES_MAX, "an object of the shim is small");
  object->properties[object->property_count].name = name;
  object->properties[object->property_count++].value = value;
}

void list_functions(void) {
  napi_value exports = make(OBJECT);
  demand(napi_register_module_v1(NULL, exports) == exports, "the module returns its exports");
  demand(functions_count > 0, "the module has functions");
  forget_values();
}

const char *function_name(size_t index) {
  return functions[index % functions_count].name;
}

struct outcome call(const char *name, const napi_value *arguments, size_t count) {
  size_t index = 0;
  while (index < functions_count && strcmp(functions[index].name, name)) index++;
  demand(index < functions_count, "the shim has this function");
  struct napi_callback_info__ info = {arguments, count};
  thrown = NULL;
  napi_value returned = functions[index].function(NULL, &info);
  struct outcome outcome = {returned, thrown};
  if (!thrown) return outcome;
  demand(!returned, "what throws returns nothing");
  demand(property(thrown, "operation")->tag == STRING, "an error names its operation");
  demand(property(thrown, "errno")->tag == STRING, "an error names its errno");
  return outcome;
}

int thrown_is(struct outcome outcome, const char *errno_name) {
  if (!outcome.thrown) return 0;
  napi_value name = property(outcome.thrown, "errno");
  return name->length == strlen(errno_name) && !memcmp(name->text, errno_name, name->length);
}

static int is_object(napi_value value) {
  return value && value->tag >= OBJECT;
}

napi_status napi_create_function(napi_env env, const char *name, size_t length, napi_callback function, void *data, napi_value *result) {
  (void)env, (void)length, (void)data;
  demand(functions_count < FUNCTIONS_MAX, "there is room for every function");
  functions[functions_count].name = name;
  functions[functions_count++].function = function;
  *result = make(FUNCTION);
  return napi_ok;
}

napi_status napi_get_cb_info(napi_env env, napi_callback_info info, size_t *count, napi_value *arguments, napi_value *self, void **data) {
  (void)env, (void)self, (void)data;
  for (size_t i = 0; i < *count; i++) arguments[i] = i < info->count ? info->arguments[i] : make(UNDEFINED);
  *count = info->count;
  return napi_ok;
}

napi_status napi_create_double(napi_env env, double number, napi_value *result) {
  (void)env;
  *result = make_number(number);
  return napi_ok;
}

napi_status napi_create_string_utf8(napi_env env, const char *text, size_t length, napi_value *result) {
  (void)env;
  *result = make_string(text, length == NAPI_AUTO_LENGTH ? strlen(text) : length);
  return napi_ok;
}

napi_status napi_create_object(napi_env env, napi_value *result) {
  (void)env;
  *result = make(OBJECT);
  return napi_ok;
}

napi_status napi_create_error(napi_env env, napi_value code, napi_value message, napi_value *result) {
  (void)env, (void)code;
  if (!message || message->tag != STRING) return napi_string_expected;
  *result = make(OBJECT);
  return napi_ok;
}

napi_status napi_get_boolean(napi_env env, bool holds, napi_value *result) {
  (void)env;
  *result = make_boolean(holds);
  return napi_ok;
}

napi_status napi_throw(napi_env env, napi_value error) {
  (void)env;
  demand(!thrown, "one error is thrown, not two");
  thrown = error;
  return napi_ok;
}

napi_status napi_set_named_property(napi_env env, napi_value object, const char *name, napi_value value) {
  (void)env;
  if (!is_object(object)) return napi_object_expected;
  if (!value) return napi_invalid_arg;
  /* The exports are remembered as functions. */
  if (value->tag != FUNCTION) set_property(object, name, value);
  return napi_ok;
}

napi_status napi_get_named_property(napi_env env, napi_value object, const char *name, napi_value *result) {
  (void)env;
  if (!is_object(object)) return napi_object_expected;
  *result = property(object, name);
  return napi_ok;
}

napi_status napi_get_value_double(napi_env env, napi_value value, double *result) {
  (void)env;
  if (!value) return napi_invalid_arg;
  if (value->tag != NUMBER) return napi_number_expected;
  *result = value->number;
  return napi_ok;
}

napi_status napi_get_value_bool(napi_env env, napi_value value, bool *result) {
  (void)env;
  if (!value) return napi_invalid_arg;
  if (value->tag != BOOLEAN) return napi_boolean_expected;
  *result = value->number != 0;
  return napi_ok;
}

napi_status napi_get_value_string_utf8(napi_env env, napi_value value, char *out, size_t size, size_t *length) {
  (void)env;
  if (!value) return napi_invalid_arg;
  if (value->tag != STRING) return napi_string_expected;
  if (!out) return *length = value->length, napi_ok;
  if (!size) return *length = 0, napi_ok;
  *length = value->length < size ? value->length : size - 1;
  if (*length) memcpy(out, value->text, *length);
  out[*length] = 0;
  return napi_ok;
}

napi_status napi_get_array_length(napi_env env, napi_value value, uint32_t *length) {
  (void)env;
  if (!value) return napi_invalid_arg;
  if (value->tag != ARRAY) return napi_array_expected;
  *length = value->length;
  return napi_ok;
}

napi_status napi_get_element(napi_env env, napi_value value, uint32_t index, napi_value *result) {
  (void)env;
  if (!is_object(value)) return napi_object_expected;
  *result = index < value->element_count ? value->elements[index] : make(UNDEFINED);
  return napi_ok;
}

napi_status napi_get_typedarray_info(napi_env env, napi_value value, napi_typedarray_type *type, size_t *length, void **data, napi_value *buffer, size_t *offset) {
  static const size_t element_bytes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  (void)env, (void)buffer, (void)offset;
  if (!value || value->tag != TYPED_ARRAY) return napi_invalid_arg;
  *type = value->type;
  *length = value->length / element_bytes[value->type];
  *data = value->bytes;
  return napi_ok;
}
