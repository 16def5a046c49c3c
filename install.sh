#!/bin/sh
# Makes the environment .venv beside this file and installs the study into it, with the tools of its tests.
# `make` calls it when pyproject.toml has changed; calling it again does no harm. Output goes to .venv/install.log.
set -eu
cd "$(dirname "$0")"
python=.venv/bin/python
log=.venv/install.log
tested_torch=2.13.0

say() { printf '%s\n' "install: $*" >&2; }
fail() { say "$*"; exit 1; }

find_python() {
    for name in python3 python3.13 python3.12 python3.11 python3.14 python; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$name"
            return
        fi
    done
    fail "no Python of 3.11 or later is on the PATH; install one (python.org, apt, brew, conda) and run the same again."
}

logged() {
    printf '\n$ %s\n' "$*" >>"$log"
    "$@" >>"$log" 2>&1
}

pip_install() {
    logged "$python" -m pip install --disable-pip-version-check "$@"
}

# Tells whether pip would bring CUDA's libraries along; only metadata is fetched for that.
brings_cuda() {
    logged "$python" -m pip install --disable-pip-version-check --dry-run --report .venv/report.json "$1" || return 0
    "$python" -c 'import json, sys
names = [item["metadata"]["name"].lower() for item in json.load(open(".venv/report.json"))["install"]]
sys.exit(not any(name.startswith(("nvidia", "cuda", "triton")) for name in names))'
}

install_torch() {
    if [ "$(uname)" = Darwin ] || nvidia-smi >/dev/null 2>&1; then
        say "installing PyTorch"
        pip_install 'torch>=2.4'
    elif ! brings_cuda "torch==$tested_torch"; then
        say "installing PyTorch $tested_torch for the processor"
        pip_install "torch==$tested_torch"
    elif say "installing PyTorch for the processor, as there is no NVIDIA GPU" &&
        pip_install uv && logged "$python" -m uv pip install --python "$python" --torch-backend=cpu 'torch>=2.4'; then
        :
    else
        say "only the package index can be reached, whose PyTorch for Linux includes CUDA: a download of about 3 GB,"
        say "which this machine, having no NVIDIA GPU, makes no use of. It works all the same."
        if [ -n "${COLORLIB_ALLOW_CUDA:-}" ]; then
            :
        elif [ -t 0 ]; then
            printf 'Press Enter to go on, or Ctrl-C to stop: ' >&2
            read -r _
        else
            say "It begins in 15 seconds; end this process to stop it, or set COLORLIB_ALLOW_CUDA=1 not to wait."
            sleep 15
        fi
        pip_install 'torch>=2.4'
    fi
}

if ! "$python" -c 'import pip' >/dev/null 2>&1; then
    base=$(find_python)
    "$base" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
        fail "$base cannot make environments; install its venv module (on Debian or Ubuntu: apt install python3-venv)."
    say "making .venv with $("$base" --version)"
    "$base" -m venv --clear .venv || fail "could not make .venv."
fi
: >"$log"
{
    "$python" -c 'import torch' >/dev/null 2>&1 || install_torch
    say "installing the study and its tools (a few minutes the first time)"
    pip_install --editable '.[test]'
} || {
    tail -n 20 "$log" | grep -v '^WARNING' >&2
    fail "that failed; all of what pip said is in $log. Run the same again to go on."
}
touch .venv/.ready
say "done"
