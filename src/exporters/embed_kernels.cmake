# Writes ${OUTPUT}, a C++ source that holds the text of the kernel sources in ${FOLDER}: the installed program copies them
# into exports and needs no source tree. Run with cmake -P; FILES is separated by commas.
string(REPLACE "," ";" names "${FILES}")
set(text "// Generated from src/runtime/kernels by embed_kernels.cmake.\n#include \"exporters/kernel_sources.hpp\"\n\n")
string(APPEND text "namespace condenser::exporters {\nnamespace {\n\nconstexpr KernelSource kSources[] = {\n")
foreach(name IN LISTS names)
  file(READ "${FOLDER}/${name}" content)
  string(APPEND text "    {\"${name}\", R\"kernel_source(${content})kernel_source\"},\n")
endforeach()
string(APPEND text "};\n\n}  // namespace\n\nstd::span<const KernelSource> kernel_sources() { return kSources; }\n\n")
string(APPEND text "}  // namespace condenser::exporters\n")
file(WRITE "${OUTPUT}" "${text}")
