# Weights and their files, lowering, spec files and diagrams.
target_sources(condenser_core PRIVATE ${CMAKE_CURRENT_LIST_DIR}/weights.cpp
               ${CMAKE_CURRENT_LIST_DIR}/safetensors.cpp
               ${CMAKE_CURRENT_LIST_DIR}/passes.cpp
               ${CMAKE_CURRENT_LIST_DIR}/spec_io.cpp
               ${CMAKE_CURRENT_LIST_DIR}/spec_write.cpp
               ${CMAKE_CURRENT_LIST_DIR}/diagram.cpp)
