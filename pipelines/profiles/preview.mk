# The first clip, small and soon: for seeing whether face and prompt are right.
SIZE = 384x256
CLIPS = 1
CRF = 23
PRESET = veryfast
