/* SPDX-License-Identifier: MIT */
/*
 * stall_addon.c - a native addon for node: waits that scripts have no function for. It needs no header of node: the few functions
 * of its stable interface are declared here, and found in the program that loads it.
 */
#include "../../samples/loops/stall_causes.h"

typedef struct env *napi_env;
typedef struct value *napi_value;
typedef struct info *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);

int napi_create_function(napi_env env, const char *name, size_t length, napi_callback callback,
			 void *data, napi_value *ret_value);
int napi_set_named_property(napi_env env, napi_value object, const char *name, napi_value value);
__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env,
									  napi_value exports);

#define FUNCTION(name, call)                                          \
	static napi_value name(napi_env env, napi_callback_info info) \
	{                                                             \
		(void)env, (void)info;                                \
		call;                                                 \
		return NULL; /* undefined */                          \
	}

FUNCTION(wait_for_lock, stall_on_lock())
FUNCTION(wait_for_thread, stall_in_join())
FUNCTION(wait_for_socket, stall_on_socket())
FUNCTION(wait_for_name, stall_on_name())
FUNCTION(prepare, stall_prepare_only(3))
FUNCTION(end, stall_end(0))

napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
	static const struct {
		const char *name;
		napi_callback callback;
	} functions[] = {
		{ "lock", wait_for_lock },     { "join", wait_for_thread },
		{ "socket", wait_for_socket }, { "name", wait_for_name },
		{ "prepare", prepare },	       { "end", end },
	};
	napi_value function;

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		MUST(napi_create_function(env, functions[i].name, SIZE_MAX, functions[i].callback,
					  NULL, &function));
		MUST(napi_set_named_property(env, exports, functions[i].name, function));
	}
	return exports;
}
