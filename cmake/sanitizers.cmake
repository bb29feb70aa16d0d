# THRUM_SANITIZE=address,undefined | thread | "" for hosted code. The shim is never built with a sanitizer:
# it runs in hosts that are not.
set(THRUM_SANITIZE "" CACHE STRING "sanitizers for the hosted libraries and tests, comma-separated")
add_library(thrum_sanitize INTERFACE)
if(THRUM_SANITIZE)
  target_compile_options(thrum_sanitize INTERFACE -fsanitize=${THRUM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(thrum_sanitize INTERFACE -fsanitize=${THRUM_SANITIZE})
endif()
