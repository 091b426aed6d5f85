#!/usr/bin/env bash
# docs/results.md, "A critic alone": one long run of SPIRAL from nothing, drawn at five temperatures.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the table of five temperatures of a long run (runs/long)" "2 h 10 min on one core" \
  "the data set mnist (limner data fetch mnist)"

train "$runs/long" mnist --data "$(pick mnist mnist-5k)" --threads 1 --minutes 125 --frames 30000000 --temperature 0.85
run python experiments/temperatures.py "$runs/long" --temperatures 0.5 0.6 0.7 0.85 1
