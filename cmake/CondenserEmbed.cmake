# embed(<namespace> <header> <function> <folder> <files>): the files' text inside the program, given by that function as
# std::span<const core::SourceText>.
function(embed namespace header function folder)
  set(names)
  foreach(file IN LISTS ARGN)
    get_filename_component(name ${file} NAME)
    list(APPEND names ${name})
  endforeach()
  list(JOIN names "," names)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DNAMESPACE=${namespace} -DHEADER=${header} -DFUNCTION=${function} -DFOLDER=${folder} -DFILES=${names}
            -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/embed_sources.cmake
    DEPENDS ${ARGN} ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/embed_sources.cmake
    COMMENT "Embedding ${folder}"
    VERBATIM)
  # A target of its own: a generated source is only known in the folder that generates it.
  add_library(condenser_${function} OBJECT ${output})
  target_include_directories(condenser_${function} PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
  target_sources(condenser_core PRIVATE $<TARGET_OBJECTS:condenser_${function}>)
endfunction()
