# The scheduler's property tests over a copy of src/sched with mistakes in it.
set(planted_sources planted/planted_test.cpp unit/sched/story.cpp)
foreach(name scheduler pages)
  set(planted_copy ${CMAKE_CURRENT_BINARY_DIR}/planted_copies/${name}.cpp)
  add_custom_command(
    OUTPUT ${planted_copy}
    COMMAND ${CMAKE_COMMAND} -D IN=${CMAKE_SOURCE_DIR}/src/sched/${name}.cpp -D OUT=${planted_copy}
            -D MISTAKES=${CMAKE_CURRENT_SOURCE_DIR}/planted/mistakes.cmake -P ${CMAKE_CURRENT_SOURCE_DIR}/planted/plant.cmake
    DEPENDS ${CMAKE_SOURCE_DIR}/src/sched/${name}.cpp ${CMAKE_CURRENT_SOURCE_DIR}/planted/mistakes.cmake
            ${CMAKE_CURRENT_SOURCE_DIR}/planted/plant.cmake
    VERBATIM)
  list(APPEND planted_sources ${planted_copy})
endforeach()
add_executable(planted ${planted_sources})
target_include_directories(planted PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(planted PRIVATE qn_base GTest::gtest GTest::gtest_main)
gtest_discover_tests(planted PROPERTIES TIMEOUT 300 DISCOVERY_TIMEOUT 60)
