# What the released code does.
SIZE = 704x384
STEPS = 4
SEED = 420
CRF = 18
