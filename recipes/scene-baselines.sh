#!/usr/bin/env bash
# docs/scenes.md, "Compared with methods that do not learn": the agent `scenes` beside Metropolis-Hastings, random search
# and refinement alone, by renders.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the rows of the table" "40 min on two cores" "MuJoCo and OpenGL (make scenes); no data"

smoke=$(pick '' "--scenes 4 --renders 100")
run python experiments/scene_baselines.py --ways metropolis-hastings greedy random $smoke
run python experiments/scene_baselines.py --ways agent residual --renders 3000 --threads 2 $smoke
