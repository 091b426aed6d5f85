#!/usr/bin/env bash
# The agent `omniglot-prior`: it draws characters of its own. It imitates a conditional agent, which is made first.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the agent omniglot-prior, in the package" \
  "1 h 40 min on one core, 15 min where the runs of omniglot.sh are there" \
  "the data set omniglot (limner data fetch omniglot)"

first omniglot

train "$runs/omniglot-prior" omniglot --no-conditional --expert agent --expert.agent "$runs/omni4" \
  --expert.action-noise 0.2 --episodes 256 --steps-per-update 48 --learning.entropy-cost 0 --learning.ema-decay 0.99 \
  --temperature 0.5 --first-action-temperature 0.8 --threads 1 --minutes 13 --frames 100000000 --evaluate-every 1000

ship "$runs/omniglot-prior" omniglot-prior --temperature 0.65 --first-action-temperature 1 \
  --limits "it knows one width of pen and the strokes of 25 alphabets, not the alphabets themselves; small and crowded \
characters are scribbles. The features that it is measured on are those of digits."
