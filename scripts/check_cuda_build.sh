#!/usr/bin/env bash
# Compiles and links the GPU path against a CUDA build of LibTorch, on a machine that needs no GPU, and loads the result:
# `condenser doctor --gpu` then says "skipped", or runs its checks where there is a GPU.
#
#   scripts/check_cuda_build.sh
#
#   CONDENSER_CUDA_VENV  virtual environment for the CUDA build of torch (default .cache/cuda-venv; 5 GB, made when absent)
#   CUDA_HOME            folder of the CUDA compiler (default: where nvcc is)
#   JOBS                 parallel compilations (default: all cores)
#
# The compiler's folder lacks libraries such as cuBLAS; the Python packages that come with torch have them, but not the
# compiler. A toolkit folder of links to both is what CMake gets.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

TORCH_VERSION=2.13.0
venv=$(realpath -m "${CONDENSER_CUDA_VENV:-.cache/cuda-venv}")
build=build/cuda
nvcc=${CUDA_HOME:+$CUDA_HOME/bin/nvcc}
nvcc=${nvcc:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
[[ -x $nvcc ]] || { echo "check_cuda_build.sh: no CUDA compiler (nvcc on PATH, or CUDA_HOME); expected version 13" >&2; exit 2; }
cuda=$(dirname "$(dirname "$(readlink -f "$nvcc")")")

if [[ ! -x $venv/bin/python ]] || ! ls "$venv"/lib/python3*/site-packages/torch/lib/libtorch_cuda.so >/dev/null 2>&1; then
  echo "check_cuda_build.sh: installing the CUDA build of torch $TORCH_VERSION into $venv (5 GB)"
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install -q --no-cache-dir --disable-pip-version-check "torch===$TORCH_VERSION"
fi
packages=$(echo "$venv"/lib/python3*/site-packages)
libraries=$packages/nvidia/cu13
[[ -d $libraries ]] || { echo "check_cuda_build.sh: $libraries is missing; expected a torch for CUDA 13" >&2; exit 2; }

toolkit=$(realpath -m "$build/toolkit")
rm -rf "$toolkit"
mkdir -p "$toolkit"/{include,lib64/stubs}
ln -s "$cuda/bin" "$cuda/nvvm" "$toolkit/"
ln -s "$cuda"/include/* "$toolkit/include/"
ln -sf "$cuda"/lib64/*.so* "$cuda"/lib64/*.a "$toolkit/lib64/"
ln -sfn "$libraries"/include/* "$toolkit/include/" # the library's own headers win: they belong to its version
for file in "$libraries"/lib/*.so.*; do
  name=$(basename "$file")
  ln -sf "$file" "$toolkit/lib64/$name"
  ln -sf "$file" "$toolkit/lib64/${name%%.so.*}.so"
done
# The driver's library comes with a GPU; linking wants something of its name.
gcc -shared -x c /dev/null -o "$toolkit/lib64/stubs/libcuda.so" -Wl,-soname,libcuda.so.1

CUDA_HOME=$toolkit CUDACXX=$toolkit/bin/nvcc TORCH_CUDA_ARCH_LIST=9.0 cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DTorch_DIR="$packages/torch/share/cmake/Torch" -DCUDA_TOOLKIT_ROOT_DIR="$toolkit" -DCUDAToolkit_ROOT="$toolkit" \
  -DCMAKE_CXX_FLAGS="-isystem $toolkit/include" -DCONDENSER_WERROR=ON -DCONDENSER_TESTS=OFF >"$build/configure.log" 2>&1 || { tail -n 20 "$build/configure.log" >&2; exit 1; }
cmake --build "$build" --target condenser condenser_torch -j "${JOBS:-$(nproc)}"
nm -DC --undefined-only "$(find "$build" -name 'libcondenser_torch.so')" | grep 'at::cuda::CUDAGraph::capture_begin' >/dev/null ||
  { echo "check_cuda_build.sh: the module does not use CUDA graphs; expected recording_cuda.cpp in it" >&2; exit 1; }
"$build/condenser" doctor --gpu
echo "check_cuda_build.sh: the GPU path compiles, links and loads"
