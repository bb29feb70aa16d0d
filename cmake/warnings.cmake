# One interface target carries the warning set; everything of ours links it.
add_library(thrum_warnings INTERFACE)
target_compile_options(thrum_warnings INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wvla -Wpointer-arith -Wwrite-strings -Wundef
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition>)
