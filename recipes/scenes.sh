#!/usr/bin/env bash
# The agent `scenes`: it builds the scene that it is shown. Imitation of random programs, for which no data is needed;
# the data set is what it is measured on.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the agent scenes, in the package, and the data set scenes" "2 h 10 min on two cores" \
  "MuJoCo and OpenGL (make scenes), a folder for data (LIMNER_DATA, 52 MB)"

data=$(pick scenes faces) # in a smoke test other pictures of that size
shared=(scenes --data "$data" --threads 2)

if [[ -z ${SMOKE:-} ]]; then run limner data make scenes; fi
train "$runs/scenes" "${shared[@]}" --minutes 70 --frames 3000000
train "$runs/scenes2" "${shared[@]}" --start "$runs/scenes" --minutes 45 --seed 1 --learning.learning-rate 6e-4

if [[ -n ${SMOKE:-} ]]; then tests=("faces 0 8"); else tests=("scenes 0 1000" "scenes 1 1000"); fi
ship "$runs/scenes2" scenes --tests "${tests[@]}" \
  --limits "it knows this camera, these four kinds of objects, and scenes of one to five of them, of each of which \
something can be seen."
