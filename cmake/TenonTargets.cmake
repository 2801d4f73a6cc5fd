# How a folder becomes targets. A floor's folder is globbed, so that adding or deleting a mechanism is adding or
# deleting a folder: X.cpp goes into the library, X_test.cpp, X_bench.cpp and X_example.cpp become programs.
include(GNUInstallDirs)

set(TENON_FLOORS "" CACHE INTERNAL "")

add_library(tenon_flags INTERFACE)
target_compile_options(tenon_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
                                             -Wold-style-cast -Woverloaded-virtual)
# The stable_sort() of GCC 12's library takes memory by a function that the library itself calls deprecated.
target_compile_options(tenon_flags INTERFACE $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
if(TENON_WERROR)
  target_compile_options(tenon_flags INTERFACE -Werror)
endif()
if(TENON_SANITIZE)
  # vptr asks the kernel, through a pipe of its own, whether memory can be read: where a test leaves no descriptors, or
  # has calls refused, it takes what is there for what is not.
  target_compile_options(tenon_flags INTERFACE -fsanitize=${TENON_SANITIZE} -fno-sanitize=vptr -fno-omit-frame-pointer
                                               -fno-sanitize-recover=all)
  target_link_options(tenon_flags INTERFACE -fsanitize=${TENON_SANITIZE})
endif()

# Seconds: under a sanitizer a model takes ten times as long.
set(tenon_test_timeout 120)
if(TENON_SANITIZE)
  set(tenon_test_timeout 900)
endif()

# A checked program and an unchecked library do not link, so whoever links the library is compiled as it is.
set(TENON_CHECKED_DEFINITION "")
if(TENON_CHECKED)
  set(TENON_CHECKED_DEFINITION TENON_CHECKED)
endif()

# What most sources include of the standard library is read once, not by each: half of what the compiler does for the
# smaller ones. Once for libraries and once for programs, since -fPIC and -fPIE differ. No source may rely on it: the
# preset clang builds without, and the checks compile headers without.
set(tenon_standard_headers <algorithm> <array> <atomic> <chrono> <cstdint> <cstring> <expected> <functional> <map> <memory>
                           <optional> <span> <string> <string_view> <utility> <variant> <vector>)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/standard_headers.cpp CONTENT "// Nothing of its own: its headers are.\n")
foreach(kind libraries programs)
  add_library(tenon_headers_of_${kind} OBJECT EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/standard_headers.cpp)
  target_link_libraries(tenon_headers_of_${kind} PRIVATE tenon_flags)
  target_precompile_headers(tenon_headers_of_${kind} PRIVATE ${tenon_standard_headers})
endforeach()
set_target_properties(tenon_headers_of_programs PROPERTIES POSITION_INDEPENDENT_CODE OFF)
target_compile_options(tenon_headers_of_programs PRIVATE -fPIE)

# tenon_floor(NAME [USES floors…]): a static library tenon_NAME from src/tenon/NAME.
function(tenon_floor name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "USES")
  set(root ${CMAKE_CURRENT_SOURCE_DIR}/src/tenon/${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${root}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_(test|bench|example)\\.cpp$")
  list(TRANSFORM arg_USES PREPEND tenon_)
  if(sources)
    add_library(tenon_${name} STATIC ${sources})
    target_link_libraries(tenon_${name} PUBLIC ${arg_USES} PRIVATE tenon_flags)
    target_include_directories(tenon_${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/src)
    target_compile_definitions(tenon_${name} PUBLIC ${TENON_CHECKED_DEFINITION})
    target_precompile_headers(tenon_${name} REUSE_FROM tenon_headers_of_libraries)
  else()
    add_library(tenon_${name} INTERFACE)
    target_link_libraries(tenon_${name} INTERFACE ${arg_USES})
    target_include_directories(tenon_${name} INTERFACE ${CMAKE_CURRENT_SOURCE_DIR}/src)
  endif()
  set(TENON_FLOORS ${TENON_FLOORS} ${name} CACHE INTERNAL "")
endfunction()

# tenon_executable(NAME SOURCES [LINKS targets…]): an executable with the project's flags.
function(tenon_executable name sources)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "LINKS")
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${arg_LINKS} tenon_flags)
endfunction()

# tenon_program(NAME SOURCES [LINKS targets…]): one that is compiled as all are, and shares the headers of all programs.
function(tenon_program name sources)
  tenon_executable(${name} "${sources}" ${ARGN})
  target_precompile_headers(${name} REUSE_FROM tenon_headers_of_programs)
endfunction()

# tenon_test(NAME SOURCES [LINKS targets…]): tests, with the kit, one to ctest for each TEST. What they test is
# optimised; they themselves are not, which halves what the compiler takes for them, and share the headers of all tests.
function(tenon_test name sources)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "LINKS")
  tenon_executable(${name} "${sources}" LINKS ${arg_LINKS} tenon_test_kit GTest::gmock_main)
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release,RelWithDebInfo>:-O0>)
  # A function's first call would resolve it: instructions that a process makes once, and the kill harness counts.
  target_link_options(${name} PRIVATE -Wl,-z,now)
  if(name STREQUAL kit_test)
    target_precompile_headers(${name} PRIVATE <gmock/gmock.h> <gtest/gtest.h> <chrono> <functional> <string> <vector>)
  else()
    target_precompile_headers(${name} REUSE_FROM kit_test)
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT ${tenon_test_timeout})
endfunction()

# The tests, benchmarks and examples that stand in a floor's folder. Tests link their own floor and the kit alone,
# so a use of a higher floor does not link.
function(tenon_floor_programs name)
  set(root ${CMAKE_CURRENT_SOURCE_DIR}/src/tenon/${name})
  file(GLOB_RECURSE tests CONFIGURE_DEPENDS ${root}/*_test.cpp)
  file(GLOB_RECURSE benches CONFIGURE_DEPENDS ${root}/*_bench.cpp)
  file(GLOB_RECURSE examples CONFIGURE_DEPENDS ${root}/*_example.cpp)
  if(TENON_TESTS AND tests)
    tenon_test(${name}_test "${tests}" LINKS tenon_${name})
  endif()
  if(TENON_BENCHES)
    foreach(source IN LISTS benches)
      get_filename_component(stem ${source} NAME_WE)
      tenon_program(${stem} ${source} LINKS tenon_${name} tenon_bench_harness benchmark::benchmark)
    endforeach()
  endif()
  if(TENON_TOOLS)
    foreach(source IN LISTS examples)
      get_filename_component(stem ${source} NAME_WE)
      tenon_program(${stem} ${source} LINKS tenon_${name})
      set_target_properties(${stem} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/examples)
      install(TARGETS ${stem} RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/tenon)
    endforeach()
  endif()
endfunction()

# One library out of all floors, for those who link Tenon.
function(tenon_library)
  set(objects "")
  foreach(floor IN LISTS TENON_FLOORS)
    get_target_property(type tenon_${floor} TYPE)
    if(NOT type STREQUAL "INTERFACE_LIBRARY")
      list(APPEND objects $<TARGET_OBJECTS:tenon_${floor}>)
    endif()
  endforeach()
  add_library(tenon ${objects})
  add_library(tenon::tenon ALIAS tenon)
  set_target_properties(tenon PROPERTIES LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION}
                                         SOVERSION ${PROJECT_VERSION_MAJOR})
  target_compile_features(tenon PUBLIC cxx_std_23)
  target_compile_definitions(tenon PUBLIC ${TENON_CHECKED_DEFINITION})
  target_link_libraries(tenon PRIVATE $<BUILD_INTERFACE:tenon_flags>)
  target_include_directories(tenon PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/src>
                                          $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endfunction()

# tenon_checked: the floors that have locks once more, as TENON_CHECKED has them, for the tests and the example of the
# lock order. It stands in for tenon_sync and tenon_ipc, and nobody links both.
function(tenon_checked_locks)
  set(root ${CMAKE_CURRENT_SOURCE_DIR}/src/tenon)
  file(GLOB sources CONFIGURE_DEPENDS ${root}/sync/*.cpp ${root}/ipc/posix_semaphore/*.cpp ${root}/ipc/sysv_semaphore/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_(test|bench|example)\\.cpp$")
  add_library(tenon_checked STATIC EXCLUDE_FROM_ALL ${sources})
  target_link_libraries(tenon_checked PUBLIC tenon_base tenon_os PRIVATE tenon_flags)
  target_include_directories(tenon_checked PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/src)
  target_compile_definitions(tenon_checked PUBLIC TENON_CHECKED)
  target_precompile_headers(tenon_checked REUSE_FROM tenon_headers_of_libraries)
endfunction()
