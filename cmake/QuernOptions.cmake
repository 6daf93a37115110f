# Flags that every object of the project is built with.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

find_program(LLD_PROGRAM NAMES ld.lld ld.lld-14)
if(LLD_PROGRAM)
  add_link_options(-fuse-ld=lld)
endif()

# No contraction: a*b+c is rounded twice unless the source says fma, so that every build gives the same bits.
add_compile_options(-Wall -Wextra -Wshadow -Werror -Wno-missing-field-initializers -fno-fast-math -ffp-contract=off -fno-omit-frame-pointer)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-O2 -g1 -D_GLIBCXX_ASSERTIONS -fstack-protector-strong -fstack-clash-protection -fcf-protection
                      -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack -pie)
endif()
# Release keeps NDEBUG out: QN_CHECK is always on, and assert is not used.
string(REPLACE "-DNDEBUG" "" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
string(REPLACE "-O3" "" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")

if(QN_SANITIZE)
  add_compile_options(-fsanitize=${QN_SANITIZE} -fno-sanitize-recover=all -O1)
  add_link_options(-fsanitize=${QN_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-maybe-uninitialized)  # instrumented code of std::function misleads GCC (bug 105562)
  endif()
endif()
if(QN_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
