# avatar.mk: one stage after the other. With -j, prompt, voice and picture are encoded at the same time.

here := $(patsubst %avatar.mk,%,$(strip $(MAKEFILE_LIST)))
include $(subst $() ,\ ,$(here))common.mk

ifdef IN_WORK
include $(patsubst %,pipelines/%.mk,$(stages))
endif
