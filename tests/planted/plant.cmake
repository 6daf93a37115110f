# Copies a source file with mistakes in it, each switched on by its number. cmake -D IN=… -D OUT=… -D MISTAKES=… -P plant.cmake
# A mistake whose place is gone from the source stops the build: it is to be planted anew.
file(READ "${IN}" text)
get_filename_component(source "${IN}" NAME)
set(number 0)

# FILE: the source's name. The one place where it says OLD says NEW instead; @ON@ in NEW is true while the mistake is on.
macro(mistake name file old new)
  math(EXPR number "${number} + 1")
  string(APPEND names "\"${name}\", ")
  also("${file}" "${old}" "${new}")
endmacro()

# A second place of the mistake before.
macro(also file old new)
  if("${file}" STREQUAL "${source}")
    string(FIND "${text}" "${old}" first)
    string(FIND "${text}" "${old}" last REVERSE)
    if(first EQUAL -1 OR NOT first EQUAL last)
      message(FATAL_ERROR "mistake ${number}: '${old}' stands not once in ${file}; plant it anew in ${MISTAKES}")
    endif()
    string(REPLACE "@ON@" "::qn::sched::is_planted(${number})" with "${new}")
    string(REPLACE "${old}" "${with}" text "${text}")
  endif()
endmacro()

include("${MISTAKES}")
if("${source}" STREQUAL "scheduler.cpp")
  set(table "const char* const mistakes[] = {${names} nullptr};\nint planted = 0;\n")
endif()
get_filename_component(folder "${OUT}" DIRECTORY)
file(MAKE_DIRECTORY "${folder}")
file(WRITE "${OUT}" "namespace qn::sched {\nextern int planted;\ninline bool is_planted(int number) { return planted == number; }\nextern const char* const mistakes[];\n${table}}\n${text}")
