# timestep.mk: like streaming.mk, with a process for each of PARTS="1-2 3-4" (default: two halves), steps that are denoised in
# one place. DEVICES names a device for each part, and one more for the decoder; the last is for all that have none, the first
# encodes where no DEVICE is given. If one process ends, all do, and a rerun goes on.

here := $(patsubst %timestep.mk,%,$(strip $(MAKEFILE_LIST)))
include $(subst $() ,\ ,$(here))common.mk

ifdef IN_WORK
FOLLOW = yes
# Two halves; of a single step, one part.
PARTS := $(shell half=$$(($(STEPS) / 2)); [ $$half = 0 ] || echo 1-$$half; echo $$((half + 1))-$(STEPS))
include $(patsubst %,pipelines/%.mk,$(stages) following)
endif
