# split.mk: latents here, then the frames in RANGES (default 4) ranges of blocks, as many at a time as -j says. LAUNCH is put
# before each decoder, so that LAUNCH=srun decodes on the machines of a cluster that see the same files.

here := $(patsubst %split.mk,%,$(strip $(MAKEFILE_LIST)))
include $(subst $() ,\ ,$(here))common.mk

ifdef IN_WORK
RANGES = 4
include $(patsubst %,pipelines/%.mk,$(filter-out frames,$(stages)) ranges)
endif
