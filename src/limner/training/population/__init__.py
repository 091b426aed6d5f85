"""Population-based training (Jaderberg et al. 2017): several runs whose settings are tuned while they train.

A member is an ordinary run. Nothing below ``limner.training.run`` knows of populations, so they work with every
algorithm. Members of ``spiral`` may share a critic (SPIRAL++, Mellor et al. 2019).
"""
