# streaming.mk: all stages at once, each following the one before. The film grows as OUT.partial and can be watched
# meanwhile. With CONSUME=yes, frames are deleted as soon as the film has them; with CONSUME=all, latents as soon as they are
# decoded, too, so that the disk does not fill however long the film is; but then an interrupted film begins anew.

here := $(patsubst %streaming.mk,%,$(strip $(MAKEFILE_LIST)))
include $(subst $() ,\ ,$(here))common.mk

ifdef IN_WORK
FOLLOW = yes
PARTS = 1-$(STEPS)
include $(patsubst %,pipelines/%.mk,$(stages) following)
endif
