# Tests that run under thrum.
#
#   thrum_add_test(NAME name COMMAND command [args...] [OPTIONS --timeout 60 ...])
#
# is add_test with `thrum run OPTIONS --` in front, with a trace directory of its own below
# ${CMAKE_CURRENT_BINARY_DIR}/thrum/NAME (a slash in NAME becomes _). The test fails when its command fails or when a finding gates (status 66).
# THRUM_OPTIONS_FOR_TESTS is a list that every test gets before its own options, e.g. --baseline FILE.
#
# The option THRUM_TESTS_UNDER_THRUM (default ON) turns all of them into plain tests.
option(THRUM_TESTS_UNDER_THRUM "run the tests of thrum_add_test() under thrum" ON)

function(thrum_add_test)
  cmake_parse_arguments(PARSE_ARGV 0 T "" "NAME;WORKING_DIRECTORY" "COMMAND;OPTIONS;CONFIGURATIONS")
  if(NOT T_NAME OR NOT T_COMMAND)
    message(FATAL_ERROR "thrum_add_test(NAME name COMMAND command [args...] [OPTIONS ...])")
  endif()
  if(T_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "thrum_add_test: ${T_UNPARSED_ARGUMENTS} is not understood")
  endif()
  set(more)
  if(T_WORKING_DIRECTORY)
    list(APPEND more WORKING_DIRECTORY ${T_WORKING_DIRECTORY})
  endif()
  if(T_CONFIGURATIONS)
    list(APPEND more CONFIGURATIONS ${T_CONFIGURATIONS})
  endif()
  list(POP_FRONT T_COMMAND program)
  if(TARGET ${program})
    set(program $<TARGET_FILE:${program}>)
  endif()
  if(THRUM_TESTS_UNDER_THRUM)
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/thrum)
    file(MAKE_DIRECTORY ${folder})
    string(REPLACE "/" "_" trace "${T_NAME}")
    add_test(NAME ${T_NAME}
      COMMAND ${THRUM_PROGRAM} run -o ${folder}/${trace} ${THRUM_OPTIONS_FOR_TESTS} ${T_OPTIONS} -- ${program} ${T_COMMAND}
      ${more})
  else()
    add_test(NAME ${T_NAME} COMMAND ${program} ${T_COMMAND} ${more})
  endif()
endfunction()
