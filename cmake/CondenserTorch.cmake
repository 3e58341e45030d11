# Finds LibTorch and wraps what condenser needs of it in the target condenser_libtorch.
# Order: -DTorch_DIR, the environment's Torch_DIR, the Python package in .venv.
if(NOT Torch_DIR AND DEFINED ENV{Torch_DIR})
  set(Torch_DIR $ENV{Torch_DIR})
endif()
if(NOT Torch_DIR)
  file(GLOB candidates ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch/share/cmake/Torch)
  if(candidates)
    list(GET candidates 0 Torch_DIR)
  endif()
endif()
set(Torch_DIR "${Torch_DIR}" CACHE PATH "Folder of TorchConfig.cmake" FORCE)
find_package(Torch QUIET)
if(NOT Torch_FOUND)
  message(FATAL_ERROR "LibTorch not found (Torch_DIR = '${Torch_DIR}'). Run scripts/setup.sh, or pass -DTorch_DIR=<libtorch>/share/cmake/Torch, "
                      "or build without it: cmake --preset no-torch")
endif()
get_filename_component(CONDENSER_TORCH_LIB_DIR "${Torch_DIR}/../../../lib" ABSOLUTE)
message(STATUS "LibTorch ${Torch_VERSION} in ${CONDENSER_TORCH_LIB_DIR}")

add_library(condenser_libtorch INTERFACE)
target_include_directories(condenser_libtorch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
separate_arguments(torch_flags UNIX_COMMAND "${TORCH_CXX_FLAGS}")
target_compile_options(condenser_libtorch INTERFACE ${torch_flags})
# One OpenMP runtime in the process: the one that LibTorch brings.
file(GLOB torch_gomp ${CONDENSER_TORCH_LIB_DIR}/libgomp*.so*)
target_link_libraries(condenser_libtorch INTERFACE ${TORCH_LIBRARIES} ${torch_gomp})
# c10d's header names types of Gloo, whose own headers LibTorch leaves out. Only pointers to them pass through; nothing of Gloo is linked.
find_path(CONDENSER_GLOO_HEADERS gloo/transport/device.h)
if(NOT CONDENSER_GLOO_HEADERS)
  message(FATAL_ERROR "Gloo's headers not found. Run scripts/setup.sh, or install libgloo-dev")
endif()

# On a GPU c10d's header includes NCCL's, which lies beside the Python package.
if(TARGET torch_cuda)
  find_path(CONDENSER_NCCL_HEADERS nccl.h PATHS ${CONDENSER_TORCH_LIB_DIR}/../../nvidia/nccl/include)
  if(NOT CONDENSER_NCCL_HEADERS)
    message(FATAL_ERROR "This LibTorch is a CUDA build, and NCCL's headers (nccl.h) are not found. Install libnccl-dev, or pass "
                        "-DCONDENSER_NCCL_HEADERS=<folder>")
  endif()
  target_include_directories(condenser_libtorch SYSTEM INTERFACE ${CONDENSER_NCCL_HEADERS})
endif()
