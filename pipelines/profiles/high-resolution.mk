# Larger frames; time and memory grow faster than their number of pixels.
SIZE = 1280x720
CRF = 16
