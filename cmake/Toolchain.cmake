# The compiler, the language and the flags that every target shares.

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR
    "mtc is built with Clang 19 or newer: g++ 12 compiles its coroutines without a warning and then frees "
    "memory twice at run time (docs/design/compiler.md). Run tools/setup, or pass -DCMAKE_CXX_COMPILER=clang++-19.")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g1")

find_program(MTC_CCACHE ccache)
if(MTC_CCACHE)
  # Paths are taken relative to the tree, so that another clone of it finds what this one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" CCACHE_NOHASHDIR=1 "${MTC_CCACHE}")
endif()
add_link_options(-fuse-ld=lld)

set(MTC_SANITIZE "" CACHE STRING "Sanitizers for every target, for example address,undefined")
if(MTC_SANITIZE)
  add_compile_options(-fsanitize=${MTC_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MTC_SANITIZE})
  add_compile_options(-O1)  # checked code is slow enough, and a fuzzer is worth what it tries in its seconds
endif()

# Carried by the components alone, so that code of others (src.hpp of Asio and Beast) stays quiet.
add_library(mtc_flags INTERFACE)
target_compile_options(mtc_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wno-missing-designated-field-initializers -Werror)
target_include_directories(mtc_flags INTERFACE "${PROJECT_SOURCE_DIR}/src")
