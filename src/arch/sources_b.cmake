# Weights, lowering, spec files and diagrams.
target_sources(condenser_core PRIVATE ${CMAKE_CURRENT_LIST_DIR}/weights.cpp
               ${CMAKE_CURRENT_LIST_DIR}/passes.cpp)
