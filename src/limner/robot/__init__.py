"""A simulated arm that draws the strokes of a program with a pen on a sheet of paper (MuJoCo, the extra ``scenes``)."""
