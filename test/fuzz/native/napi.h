/*
 * A small Node-API for fuzzing the shim without a runtime: values are structs, and every array, string and
 * error is allocated by itself at exactly its size, so that AddressSanitizer sees one byte too far.
 */
#pragma once

#include <node_api.h>
#include <stddef.h>
#include <stdint.h>

enum tag { UNDEFINED, NULL_VALUE, BOOLEAN, NUMBER, STRING, OBJECT, ARRAY, TYPED_ARRAY, FUNCTION };

napi_value make(enum tag tag);
napi_value make_boolean(int value);
napi_value make_number(double value);
napi_value make_string(const char *text, size_t length);
/* `bytes` may be NULL: zeros. Its length is in bytes, whatever the type. */
napi_value make_typed_array(napi_typedarray_type type, const uint8_t *bytes, size_t length);
/* `length` may be more than the elements there are, as with a sparse array. */
napi_value make_array(const napi_value *elements, uint32_t count, uint32_t length);
void set_property(napi_value object, const char *name, napi_value value);
uint8_t *bytes_in(napi_value array);
double number_in(napi_value number);

/* What a call came to: exactly one of both, or neither where nothing is returned. */
struct outcome {
  napi_value returned, thrown;
};

/* Once, before the first call: asks the module for its functions. */
void list_functions(void);
/* Of any of them, whatever the index. */
const char *function_name(size_t index);
/* Calls a function of the shim. Ends the program where what it throws is not an error with operation and errno. */
struct outcome call(const char *name, const napi_value *arguments, size_t count);
int thrown_is(struct outcome outcome, const char *errno_name);
/* Frees every value made since the last time. */
void forget_values(void);
/* Ends the program where a promise is broken. */
void demand(int holds, const char *promise);
