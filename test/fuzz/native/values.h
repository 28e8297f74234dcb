/* JavaScript values out of the input: mostly of a kind that some function takes. */
#pragma once

#include "input.h"
#include "napi.h"

napi_value any_value(struct input *input, int depth);
/* An object as openCapture takes it, each option right, wrong or missing. */
napi_value any_options(struct input *input, int depth);
