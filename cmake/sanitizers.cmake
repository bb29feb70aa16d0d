# THRUM_SANITIZE=address,undefined | thread | "" for hosted code. The shim is never built with a sanitizer:
# it runs in hosts that are not. THRUM_COVERAGE counts lines of the same code.
set(THRUM_SANITIZE "" CACHE STRING "sanitizers for the hosted libraries and tests, comma-separated")
option(THRUM_COVERAGE "count executed lines of hosted code" OFF)
add_library(thrum_sanitize INTERFACE)
if(THRUM_SANITIZE)
  target_compile_options(thrum_sanitize INTERFACE -fsanitize=${THRUM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(thrum_sanitize INTERFACE -fsanitize=${THRUM_SANITIZE})
endif()
if(THRUM_COVERAGE)
  target_compile_options(thrum_sanitize INTERFACE --coverage)
  target_link_options(thrum_sanitize INTERFACE --coverage)
endif()
