#!/usr/bin/env bash
# docs/scenes.md, "Objects found, by number": the agent `scenes` on new scenes of one to eight objects.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the table by number of objects" "10 min on two cores" "MuJoCo and OpenGL (make scenes); no data"

run python experiments/scene_structure.py --scenes 50 --threads 2 \
  $(pick '' "--scenes 4 --objects 1 4 --searches 0 0.1")
