# The toys of this folder, added to copies of the registries: what a contributor's new file and new line would do. The program takes
# architecture.cpp, dialect.cpp and registry.cpp with these tables; the linker then has no use for the libraries' own.
set(extended ${CMAKE_BINARY_DIR}/extend)

file(GLOB architectures ${CMAKE_SOURCE_DIR}/src/model/arch/*.cpp ${CMAKE_CURRENT_SOURCE_DIR}/extend/arch/*.cpp)
set(lines "")
foreach(source ${architectures})
  get_filename_component(name ${source} NAME_WE)
  string(APPEND lines "QN_ARCH(${name})\n")
endforeach()
file(CONFIGURE OUTPUT ${extended}/model/arch_table.inc CONTENT "${lines}" @ONLY)

file(GLOB dialects ${CMAKE_SOURCE_DIR}/src/text/chat/dialects/*.cpp ${CMAKE_CURRENT_SOURCE_DIR}/extend/dialects/*.cpp)
set(lines "")
foreach(source ${dialects})
  get_filename_component(name ${source} NAME_WE)
  string(APPEND lines "QN_DIALECT(${name})\n")
endforeach()
file(CONFIGURE OUTPUT ${extended}/text/dialect_table.inc CONTENT "${lines}" @ONLY)

file(READ ${CMAKE_SOURCE_DIR}/src/quant/registry.h registry)
string(REPLACE "#define QN_QUANT_FORMATS(X)" "#include \"extend/quant/toy8.h\"\n\n#define QN_QUANT_FORMATS(X) X(TOY8)" registry "${registry}")
file(CONFIGURE OUTPUT ${extended}/quant/registry.h CONTENT "${registry}" @ONLY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/quant/registry.h)

target_sources(extend PRIVATE
  ${CMAKE_SOURCE_DIR}/src/model/architecture.cpp ${CMAKE_SOURCE_DIR}/src/quant/registry.cpp ${CMAKE_SOURCE_DIR}/src/text/chat/dialect.cpp)
target_include_directories(extend BEFORE PRIVATE ${extended})
