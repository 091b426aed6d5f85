#!/usr/bin/env bash
# The published set-up (SPIRAL, Ganin et al. 2018), shortened for one core: network, episodes of 20 actions, penalties and
# engine of the preset mnist-paper, but three sizes of brush, 32 × 32 pixels, and the critic and learning rates of the
# preset mnist. docs/log.md, "the published set-up, shortened".
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "three runs of the published set-up, shortened (runs/paper)" "50 min on one core" "nothing: the digits that ship"

for seed in 0 1 2; do
  train "$runs/paper/$seed" mnist-paper --data mnist-5k --device cpu --seed "$seed" --evaluation-seed 0 --threads 1 \
    --renderer.preset deepmind-2018 --renderer.sizes 1 2 4 --resolution 32 --policy.precision native \
    --critic.precision native --critic.width 48 --critic.pixel-unshuffle 4 --critic.learning-rate 4e-4 \
    --critic.steps-per-update 8 --critic.replay 50 --critic.gradient-penalty-share 0.5 --learning.minibatches 4 \
    --learning.learning-rate 7e-4 --learning.entropy-cost 0.02 --learning.entropy-floor 3 --episodes 32 \
    --frames 200000 --evaluate-every 60
done
