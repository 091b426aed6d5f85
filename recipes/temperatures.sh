#!/usr/bin/env bash
# The tables on the cards of the agents `mnist` and `omniglot-prior`, and how temperature changes them.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "two tables" "5 min on one core" "the data sets mnist and omniglot (limner data fetch …)"

run python experiments/temperatures.py mnist --temperatures $(pick "0.7 0.6 0.5" 0.6) --first-action-temperature 0.9
run python experiments/temperatures.py omniglot-prior --temperatures $(pick "0.8 0.65" 0.65) --first-action-temperature 1
