#!/usr/bin/env bash
# The digit classifier whose features measure pictures (metrics/features/mnist.safetensors, with its card), and
# docs/log.md, "What the measure knows" and "figures of few pictures". A classifier that is trained again measures differently: old figures do not
# compare with new ones. So it is written to runs/features; --out puts it into the package.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "a classifier and its card (runs/features), and two tables of the measure" "6 min on one core" \
  "the data set mnist (limner data fetch mnist)"

if [[ -z ${DRY:-} ]]; then mkdir -p "$runs/features"; fi
run python experiments/train_features.py --seed 0 --out "$runs/features" $(pick '' "--epochs 1")
run python experiments/check_features.py
run python experiments/few_pictures.py $(pick '' "--counts 20 --repeats 3")
