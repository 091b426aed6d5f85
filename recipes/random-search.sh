#!/usr/bin/env bash
# docs/log.md, "pictures drawn by search alone": random strokes aimed at what is missing, without learning.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "one row" "1 min on one core" "the data set mnist (limner data fetch mnist)"

run python experiments/random_search.py --data "$(pick mnist mnist-5k)" --pictures "$(pick 60 8)"
